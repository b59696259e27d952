import Glibc
import Identity
import Loopback
import TLS
import Authority
import SVID

/// Two SVIDs below an intermediate, made once a run: ECDSA P-256, as in the pairs of postern-bench.
struct Identities {
    let client: IdentityMaterial
    let server: IdentityMaterial
    /// Unix seconds; stands still.
    private let now: Int64

    init() throws {
        let domain = "bench.test"
        let folder = try TemporaryFolder("microbench")
        let authority = try CertificateAuthority(trustDomain: domain).intermediate()
        try folder.write(authority.bundlePEM, to: "bundle.pem")
        let now = Int64(time(nil))
        func material(_ name: String) throws -> IdentityMaterial {
            let (certificate, key) = (folder.file("\(name).pem"), folder.file("\(name).key"))
            try authority.issue(path: "/ns/default/sa/\(name)").write(certificate: certificate, privateKey: key)
            let files = IdentityFiles(
                certificate: certificate, privateKey: key,
                trustBundles: [.init(trustDomain: try TrustDomain(parsing: domain), path: folder.file("bundle.pem"))])
            let outcome = IdentityMaterial.load(files, now: now)
            guard let material = outcome.material else { throw MicroBenchFault.identity("\(outcome.flaws)") }
            return material
        }
        client = try material("client")
        server = try material("server")
        self.now = now
    }

    /// Contexts as a proxy has them, that have seen no peer.
    func contexts(resumption: Bool) throws -> (client: TLSContext, server: TLSContext) {
        let options = TLSOptions(resumption: resumption)
        let now = now
        return (
            try TLSContext(
                dialling: client, options: options, applicationProtocols: [], serverName: nil,
                acceptPeer: { _ in true }, clock: { now }),
            try TLSContext(accepting: server, options: options, applicationProtocols: [], clock: { now })
        )
    }
}
