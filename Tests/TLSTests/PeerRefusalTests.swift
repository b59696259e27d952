import Identity
import Testing

@testable import TLS
@testable import TestPKI

/// A certificate that is wrong in exactly one way, and what must come of it.
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

@Suite("A peer's certificate is refused")
struct PeerRefusalTests {
    @Test("by the accepting side, which says why and sends the alert that fits", arguments: WrongCertificate.all)
    func accepting(wrong: WrongCertificate) throws {
        let world = try World()
        var pair = try Pair(
            client: .client(material(wrong.make(world), trusting: [world.bundle])), server: .server(world.material()))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.client.opened == .failed(.peerAlert(wrong.alert)))
        #expect(pair.server.session.peer == nil)
    }

    @Test("by the dialling side, before its own certificate is sent", arguments: WrongCertificate.all)
    func dialling(wrong: WrongCertificate) throws {
        let world = try World()
        var pair = try Pair(
            client: .client(world.material()), server: .server(material(wrong.make(world), trusting: [world.bundle])))
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.server.outcome == .failed(.peerAlert(wrong.alert)))
        #expect(pair.client.session.peer == nil)
    }

    @Test("in TLS 1.2 as well", arguments: WrongCertificate.leaves)
    func oldVersion(wrong: WrongCertificate) throws {
        let world = try World()
        let options = TLSOptions(minVersion: .tls12)
        var pair = try Pair(
            client: .client(material(wrong.make(world), trusting: [world.bundle]), options, maxVersion: .tls12),
            server: .server(world.material(), options))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(wrong.refusal)))
        #expect(pair.client.outcome == .failed(.peerAlert(wrong.alert)))
    }

    @Test("when another trusted domain's authority signed it")
    func bundlesAreNeverPooled() throws {
        let world = try World()
        let other = try World("other.test")
        // A trusted authority of other.test vouches for a name of example.org.
        let forged = try other.authority.issue(
            LeafRequest().with { $0.subjectAltNames = [.uri("spiffe://example.org/client")] })
        var pair = try Pair(
            client: .client(material(forged, trusting: [world.bundle])),
            server: .server(world.material(trusting: [other.bundle])))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.unknownAuthority)))
        #expect(pair.client.opened == .failed(.peerAlert(48)))
    }

    @Test("when its keys are under 112 bits", arguments: [true, false])
    func weakKeys(ofSigner: Bool) throws {
        let world = try World("example.org", AuthorityRequest(keyKind: ofSigner ? .rsa1024 : .p256))
        let certificate = try world.authority.issue(LeafRequest(keyKind: ofSigner ? .p256 : .rsa1024))
        let verifier = try PeerVerifier(bundles: [world.bundle], acceptPeer: nil, clock: now)
        #expect(try verifier.refusal(ofOwnChain: certificate.chainDER) == .weakKey)
    }

    @Test("when it is itself what the bundle holds")
    func leafInBundle() throws {
        let world = try World()
        let leaf = try CertificateAuthority.selfSigned(trustDomain: "example.org", LeafRequest())
        let bundle = TrustBundle(trustDomain: world.domain, certificates: [leaf.leafDER])
        let verifier = try PeerVerifier(bundles: [bundle], acceptPeer: nil, clock: now)
        #expect(try verifier.refusal(ofOwnChain: leaf.chainDER) == .unknownAuthority)
    }

    @Test("when the dialling side expects someone else, before its own certificate is sent")
    func identityNotExpected() throws {
        let world = try World()
        var pair = try Pair(
            client: .client(world.material("/client"), accepting: { $0.path == "/expected" }),
            server: .server(world.material("/server")))
        pair.handshake()
        #expect(pair.client.outcome == .failed(.refused(.identityNotExpected)))
        #expect(pair.server.outcome == .failed(.peerAlert(42)))
    }

    @Test("when the clock has passed a certificate that was good a moment ago")
    func clock() throws {
        let world = try World()
        let later = now() + 25 * 3_600
        var pair = try Pair(
            client: .client(world.material("/client")), server: .server(world.material(), clock: { later }))
        pair.handshake()
        #expect(pair.server.outcome == .failed(.refused(.expired)))
    }
}

@Suite("A peer's certificate is accepted")
struct PeerAcceptanceTests {
    static let good: [WrongCertificate] = [
        .leaf(.noCertificate, 0, "no extended key usage") { $0.extendedKeyUsage = nil },
        .leaf(.noCertificate, 0, "an unknown extension that is not critical") {
            $0.extensions = [.unknown(critical: false)]
        },
        .leaf(.noCertificate, 0, "a DNS name beside the ID") {
            $0.subjectAltNames = [.dns("a.example.org"), .uri("spiffe://example.org/a")]
        },
        .leaf(.noCertificate, 0, "an RSA key") { $0.keyKind = .rsa2048 },
        .leaf(.noCertificate, 0, "a P-384 key") { $0.keyKind = .p384 },
        .leaf(.noCertificate, 0, "an Ed25519 key") { $0.keyKind = .ed25519 },
        .signer(
            .noCertificate, 0, "a signer constrained to its trust domain",
            AuthorityRequest(nameConstraints: NameConstraints(permittedURIHosts: ["example.org"]))),
        .signer(.noCertificate, 0, "a signer without an ID", AuthorityRequest(subjectAltNames: [])),
        .signer(.noCertificate, 0, "a signer with an RSA key", AuthorityRequest(keyKind: .rsa2048)),
        WrongCertificate(.noCertificate, 0, "five intermediates") {
            var authority = $0.authority
            for number in 1...5 {
                authority = try authority.intermediate(AuthorityRequest(commonName: "level \(number)"))
            }
            return try authority.issue()
        },
        WrongCertificate(.noCertificate, 0, "its root sent along") {
            let good = try $0.authority.issue()
            return IssuedCertificate(chainDER: good.chainDER + [$0.authority.rootDER], key: good.key)
        },
    ]

    @Test("by both sides, with every variety that the rules allow", arguments: good)
    func accepted(good: WrongCertificate) throws {
        let world = try World()
        let certificate = try good.make(world)
        var pair = try Pair(
            client: .client(material(certificate, trusting: [world.bundle])),
            server: .server(material(certificate, trusting: [world.bundle])))
        pair.handshake()
        #expect(pair.client.outcome == .complete)
        #expect(pair.server.outcome == .complete)
    }

    @Test("from an anchor that is an intermediate and not self-signed")
    func partialChain() throws {
        let world = try World()
        let intermediate = try world.authority.intermediate()
        let leaf = try intermediate.issue(path: "/client")
        let bundle = TrustBundle(trustDomain: world.domain, certificates: [intermediate.certificateDER])
        let verifier = try PeerVerifier(bundles: [bundle], acceptPeer: nil, clock: now)
        #expect(try verifier.refusal(ofOwnChain: [leaf.leafDER]) == nil)
    }

    @Test("from another trust domain that has a bundle of its own")
    func federated() throws {
        let world = try World()
        let partner = try World("partner.test")
        var pair = try Pair(
            client: .client(partner.material("/client", trusting: [world.bundle])),
            server: .server(world.material(trusting: [partner.bundle])))
        pair.handshake()
        #expect(pair.server.outcome == .complete)
        #expect(pair.server.session.peer?.id.description == "spiffe://partner.test/client")
    }

    @Test("and the access log gets its serial number, digest and expiry")
    func details() throws {
        let world = try World()
        let certificate = try world.authority.issue(
            LeafRequest(path: "/client").with { $0.serialNumber = [0x1a, 0x2b, 0x03] })
        var pair = try Pair(
            client: .client(material(certificate, trusting: [world.bundle])), server: .server(world.material()))
        pair.handshake()
        let found = pair.server.session.peer
        let peer = try #require(found)
        #expect(peer.serialHex == "1a2b03")
        #expect(peer.sha256Hex == Hex.text(CertificateDER.sha256(certificate.leafDER)))
        #expect(try peer.notAfter == CertificateFields(parsing: certificate.leafDER.span).notAfter)
        #expect(peer.chainNotAfter == peer.notAfter)
    }
}
