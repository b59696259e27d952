import Loopback
import Authority
import PosternTesting

/// The certificates of all end-to-end tests: made once, written into each test's folder.
struct TestIdentities: Sendable {
    /// What files of a folder are called: `client.pem` has the chain, `client.key` the key, `client-both.pem` both.
    enum Role: String, CaseIterable, Sendable {
        case server
        /// Allowed by the rule `callers`.
        case client
        /// Denied by the rule `no-legacy`.
        case legacy
        /// Matched by no rule.
        case stranger
        /// Of another trusted domain.
        case partner
        /// Of a domain without a trust bundle.
        case foreigner
        /// Of an authority that calls itself example.org too.
        case impostor
        case expired
        case notYetValid = "not-yet-valid"
        case selfSigned = "self-signed"
        case twoURIs = "two-uris"
        case sameURITwice = "same-uri-twice"
        case noURI = "no-uri"
        case webURI = "web-uri"
        case withoutPath = "without-path"
        case authority
        case noDigitalSignature = "no-digital-signature"
    }

    static let shared: TestIdentities = {
        do { return try TestIdentities() } catch { preconditionFailure("no certificates: \(error)") }
    }()

    static let clientPath = "/ns/default/sa/client"
    static let serverPath = "/ns/default/sa/server"

    private let bundlePEM: String
    private let partnerBundlePEM: String
    private let issued: [Role: IssuedCertificate]

    private init() throws {
        let root = try CertificateAuthority(trustDomain: "example.org")
        let authority = try root.intermediate()
        let partner = try CertificateAuthority(trustDomain: "partner.test")
        bundlePEM = root.bundlePEM
        partnerBundlePEM = partner.bundlePEM
        let client = LeafRequest(path: Self.clientPath)
        let uri = SubjectAltName.uri("spiffe://example.org" + Self.clientPath)
        let changed = { (change: (inout LeafRequest) -> Void) in try authority.issue(client.with(change)) }
        issued = [
            .server: try authority.issue(path: Self.serverPath),
            .client: try authority.issue(client),
            .legacy: try authority.issue(path: "/ns/legacy/sa/old"),
            .stranger: try authority.issue(path: "/ns/default/sa/stranger"),
            .partner: try partner.issue(path: Self.clientPath),
            .foreigner: try CertificateAuthority(trustDomain: "foreign.test").issue(client),
            .impostor: try CertificateAuthority(trustDomain: "example.org").issue(client),
            .expired: try changed { $0.validity = .over },
            .notYetValid: try changed { $0.validity = .ahead },
            .selfSigned: try CertificateAuthority.selfSigned(trustDomain: "example.org", client),
            .twoURIs: try changed { $0.subjectAltNames = [uri, .uri("spiffe://example.org/ns/default/sa/other")] },
            .sameURITwice: try changed { $0.subjectAltNames = [uri, uri] },
            .noURI: try changed { $0.subjectAltNames = [.dns("client.example.org")] },
            .webURI: try changed { $0.subjectAltNames = [.uri("https://example.org/client")] },
            .withoutPath: try changed { $0.subjectAltNames = [.uri("spiffe://example.org")] },
            .authority: try changed { $0.basicConstraints = BasicConstraints(isCA: true) },
            .noDigitalSignature: try changed { $0.keyUsage = .keyEncipherment },
        ]
    }

    /// Writes every certificate, key and bundle.
    func write(to folder: TemporaryFolder) throws {
        try folder.write(bundlePEM, to: "bundle.pem")
        try folder.write(partnerBundlePEM, to: "partner-bundle.pem")
        for (role, certificate) in issued {
            let chain = certificate.chainPEM
            try folder.write(chain, to: "\(role.rawValue).pem")
            try folder.write(certificate.privateKeyPEM, to: "\(role.rawValue).key")
            try folder.write(chain + certificate.privateKeyPEM, to: "\(role.rawValue)-both.pem")
            // What `openssl s_client` wants beside the leaf.
            let end = "-----END CERTIFICATE-----\n"
            let rest = chain.firstRange(of: end).map { String(chain[$0.upperBound...]) } ?? ""
            if !rest.isEmpty { try folder.write(rest, to: "\(role.rawValue)-chain.pem") }
        }
    }

    func hasIntermediates(_ role: Role) -> Bool { (issued[role]?.chainDER.count ?? 0) > 1 }
}
