import Loopback
import Authority
import PosternTesting

/// The common environment of every proxy: one temporary authority, two identities below an intermediate, one backend.
final class Site {
    static let trustDomain = "bench.test"

    let folder: TemporaryFolder
    let posternPath: String
    let backend: Backend

    init(posternPath: String) throws {
        self.posternPath = posternPath
        folder = try TemporaryFolder("bench")
        backend = try Backend()
        let authority = try CertificateAuthority(trustDomain: Self.trustDomain).intermediate()
        try folder.write(authority.bundlePEM, to: "bundle.pem")
        for role in [Role.client, .server] {
            // nginx requires a DNS name beside the SPIFFE ID.
            let issued = try authority.issue(
                LeafRequest().with {
                    $0.subjectAltNames = [
                        .uri("spiffe://\(Self.trustDomain)/\(role.rawValue)"),
                        .dns("\(role.rawValue).\(Self.trustDomain)"),
                    ]
                })
            try issued.write(
                certificate: folder.file("\(role.rawValue).pem"), privateKey: folder.file("\(role.rawValue).key"))
            // HAProxy reads certificate and key from one file.
            try folder.write(issued.chainPEM + issued.privateKeyPEM, to: "\(role.rawValue)-both.pem")
        }
    }

    enum Role: String { case client, server }

    var bundle: String { folder.file("bundle.pem") }
    func certificate(_ role: Role) -> String { folder.file("\(role.rawValue).pem") }
    func privateKey(_ role: Role) -> String { folder.file("\(role.rawValue).key") }
    func certificateAndKey(_ role: Role) -> String { folder.file("\(role.rawValue)-both.pem") }
}

/// Why a measurement failed.
enum BenchFault: Error, CustomStringConvertible {
    case proxyNotReady(String, log: String)
    case negotiated(String, got: String, expected: String)
    case acceptsWithoutCertificate(String)
    case nothingMoved(String)
    case stormFailed(String)
    case generatorFailed(String, says: String)

    var description: String {
        switch self {
        case .proxyNotReady(let name, let log): "\(name) does not relay; its log:\n\(log)"
        case .negotiated(let name, let got, let expected): "\(name) negotiated \(got), expected \(expected)"
        case .acceptsWithoutCertificate(let name): "\(name) accepts a client without a certificate"
        case .nothingMoved(let what): "\(what): nothing was relayed"
        case .generatorFailed(let name, let words): "postern load through \(name): \(words)"
        case .stormFailed(let error): "the storm of new connections: \(error)"
        }
    }
}
