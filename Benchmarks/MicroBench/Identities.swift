import Authority
import System
import SVID
import TLS
import TLSTesting

/// Two SVIDs below an intermediate, issued once per run: ECDSA P-256, as in postern-bench.
struct Identities {
    let client: IdentityMaterial
    let server: IdentityMaterial
    /// Unix seconds; constant.
    private let now: Int64
    private let keyExchange: [KeyExchangeGroup]

    /// - Parameter keyExchange: the only group; one that each OpenSSL has makes their counts comparable.
    init(keyExchange: KeyExchangeGroup) throws {
        self.keyExchange = [keyExchange]
        let authority = try CertificateAuthority(trustDomain: "bench.test").intermediate()
        now = WallClock.seconds()
        client = try authority.material(LeafRequest(path: "/ns/default/sa/client"), now: now)
        server = try authority.material(LeafRequest(path: "/ns/default/sa/server"), now: now)
    }

    /// Fresh contexts, configured as a proxy's.
    func contexts(resumption: Bool) throws -> (client: TLSContext, server: TLSContext) {
        let options = TLSOptions(resumption: resumption, keyExchange: keyExchange)
        let now = now
        return (
            try TLSContext(
                dialling: client, options: options, applicationProtocols: [], serverName: nil,
                acceptPeer: { _ in true }, clock: { now }),
            try TLSContext(accepting: server, options: options, applicationProtocols: [], clock: { now })
        )
    }
}
