import Identity
import Testing

@testable import TLS
@testable import Authority

/// A certificate that is wrong in exactly one way, and the expected refusal.
struct WrongCertificate: Sendable, CustomTestStringConvertible {
    let refusal: SVIDRefusal
    let alert: UInt8
    let flaw: String
    let make: @Sendable (World) throws -> IssuedCertificate

    var testDescription: String { "\(flaw): \(refusal.rawValue)" }

    init(
        _ refusal: SVIDRefusal, _ alert: UInt8, _ flaw: String,
        make: @escaping @Sendable (World) throws -> IssuedCertificate
    ) {
        self.refusal = refusal
        self.alert = alert
        self.flaw = flaw
        self.make = make
    }

    static func leaf(
        _ refusal: SVIDRefusal, _ alert: UInt8, _ flaw: String,
        _ change: @escaping @Sendable (inout LeafRequest) -> Void
    ) -> WrongCertificate {
        WrongCertificate(refusal, alert, flaw) { try $0.authority.issue(LeafRequest().with(change)) }
    }

    static func signer(
        _ refusal: SVIDRefusal, _ alert: UInt8, _ flaw: String, _ request: AuthorityRequest
    ) -> WrongCertificate {
        WrongCertificate(refusal, alert, flaw) { try $0.authority.intermediate(request).issue(path: "/client") }
    }

    static let all: [WrongCertificate] = leaves + signers + chains

    static let leaves: [WrongCertificate] = [
        .leaf(.noURISAN, 42, "no URI SAN") { $0.subjectAltNames = [.dns("spiffe.example.org")] },
        .leaf(.noURISAN, 42, "no SAN at all") { $0.subjectAltNames = [] },
        .leaf(.noURISAN, 42, "an ID in a DNS name") { $0.subjectAltNames = [.dns("spiffe://example.org/client")] },
        .leaf(.noURISAN, 42, "an ID in an email address") { $0.subjectAltNames = [.email("spiffe://example.org/c")] },
        .leaf(.noURISAN, 42, "an ID in an otherName") { $0.subjectAltNames = [.otherName("spiffe://example.org/c")] },
        .leaf(.severalURISANs, 42, "two IDs") {
            $0.subjectAltNames = [.uri("spiffe://example.org/a"), .uri("spiffe://example.org/b")]
        },
        .leaf(.severalURISANs, 42, "the same ID twice") {
            $0.subjectAltNames = [.uri("spiffe://example.org/a"), .uri("spiffe://example.org/a")]
        },
        .leaf(.severalURISANs, 42, "another URI beside the ID") {
            $0.subjectAltNames = [.uri("spiffe://example.org/a"), .uri("https://example.org/a")]
        },
        .leaf(.notASPIFFEID, 42, "another scheme") { $0.subjectAltNames = [.uri("https://example.org/a")] },
        .leaf(.notASPIFFEID, 42, "a NUL in the ID") {
            $0.subjectAltNames = [.uriBytes(Array("spiffe://example.org/a\0b".utf8))]
        },
        .leaf(.leafWithoutPath, 42, "the ID of the trust domain itself") { $0.path = "" },
        .leaf(.leafIsCA, 42, "a CA") { $0.basicConstraints = BasicConstraints(isCA: true) },
        .leaf(.noKeyUsage, 43, "no key usage") { $0.keyUsage = nil },
        .leaf(.noDigitalSignature, 43, "no digitalSignature") { $0.keyUsage = .keyEncipherment },
        .leaf(.leafMaySign, 43, "keyCertSign") { $0.keyUsage = [.digitalSignature, .keyCertSign] },
        .leaf(.leafMaySign, 43, "cRLSign") { $0.keyUsage = [.digitalSignature, .crlSign] },
        .leaf(.extendedKeyUsage, 43, "clientAuth without serverAuth") { $0.extendedKeyUsage = [.clientAuth] },
        .leaf(.extendedKeyUsage, 43, "serverAuth without clientAuth") { $0.extendedKeyUsage = [.serverAuth] },
        .leaf(.expired, 45, "expired") { $0.validity = .over },
        .leaf(.notYetValid, 45, "not yet valid") { $0.validity = .ahead },
        .leaf(.unknownCriticalExtension, 43, "an unknown critical extension") {
            $0.extensions = [.unknown(critical: true)]
        },
        .leaf(.unknownCriticalExtension, 43, "critical policy constraints") {
            $0.extensions = [
                RawExtension(objectIdentifier: [2, 5, 29, 36], critical: true, value: [0x30, 3, 0x80, 1, 0])
            ]
        },
        .leaf(.unknownTrustDomain, 48, "a trust domain without a bundle") {
            $0.subjectAltNames = [.uri("spiffe://other.test/client")]
        },
    ]

    static let signers: [WrongCertificate] = [
        .signer(.signerNotCA, 48, "a signer that is no CA", AuthorityRequest(basicConstraints: nil)),
        .signer(
            .signerNotCA, 48, "a signer with cA false",
            AuthorityRequest(basicConstraints: BasicConstraints(isCA: false))),
        .signer(
            .signerWithoutKeyCertSign, 48, "a signer without keyCertSign", AuthorityRequest(keyUsage: .digitalSignature)
        ),
        .signer(.noKeyUsage, 43, "a signer without key usage", AuthorityRequest(keyUsage: nil)),
        .signer(
            .signerWithPath, 48, "a signer whose ID has a path",
            AuthorityRequest(subjectAltNames: [.uri("spiffe://example.org/ca")])),
        .signer(
            .signerOfOtherDomain, 48, "a signer of another trust domain",
            AuthorityRequest(subjectAltNames: [.uri("spiffe://other.test")])),
        .signer(
            .signerIDInvalid, 48, "a signer with an invalid ID",
            AuthorityRequest(subjectAltNames: [.uri("spiffe://EXAMPLE.org")])),
        .signer(.expired, 45, "an expired signer", AuthorityRequest(validity: .over)),
        .signer(.notYetValid, 45, "a signer that is not yet valid", AuthorityRequest(validity: .ahead)),
        .signer(
            .unknownCriticalExtension, 43, "a signer with an unknown critical extension",
            AuthorityRequest(extensions: [.unknown(critical: true)])),
        .signer(
            .nameConstraint, 42, "a signer constrained to another host",
            AuthorityRequest(nameConstraints: NameConstraints(permittedURIHosts: ["other.org"]))),
        .signer(
            .nameConstraint, 42, "a signer constrained to subdomains",
            AuthorityRequest(nameConstraints: NameConstraints(permittedURIHosts: [".example.org"]))),
        .signer(
            .nameConstraint, 42, "a signer that may not name this host",
            AuthorityRequest(nameConstraints: NameConstraints(excludedURIHosts: ["example.org"]))),
    ]

    static let chains: [WrongCertificate] = [
        WrongCertificate(.unknownAuthority, 48, "signed by itself") { _ in
            try CertificateAuthority.selfSigned(trustDomain: "example.org", LeafRequest())
        },
        WrongCertificate(.unknownAuthority, 48, "signed by a stranger of the same trust domain") { _ in
            try CertificateAuthority(trustDomain: "example.org", request: AuthorityRequest(commonName: "stranger"))
                .issue()
        },
        WrongCertificate(.badSignature, 51, "signed by a stranger who uses our authority's name and key identifier") {
            let good = try $0.authority.issue()
            var leaf = good.leafDER
            leaf[leaf.count - 1] ^= 1
            return IssuedCertificate(chainDER: [leaf], key: good.key)
        },
        WrongCertificate(.unknownAuthority, 48, "an intermediate that is not presented") {
            let good = try $0.authority.intermediate().issue()
            return IssuedCertificate(chainDER: [good.leafDER], key: good.key)
        },
        WrongCertificate(.pathLength, 48, "one intermediate more than a path length allows") {
            try $0.authority.intermediate(AuthorityRequest(pathLength: 0)).intermediate().issue()
        },
        WrongCertificate(.chainTooLong, 48, "six intermediates") {
            var authority = $0.authority
            for number in 1...6 {
                authority = try authority.intermediate(AuthorityRequest(commonName: "level \(number)"))
            }
            return try authority.issue()
        },
        WrongCertificate(.chainTooLong, 50, "more certificates than any chain needs") {
            let good = try $0.authority.issue()
            let more = try (1...7).map { _ in try World("filler.test").authority.rootDER }
            return IssuedCertificate(chainDER: good.chainDER + more, key: good.key)
        },
    ]
}
