import Policy
import System
import TLS
import SVID

/// Everything a TLS context is made from: as long as it is unchanged the context stays, and with it the resumable
/// sessions and the remembered chains of its peers.
struct ContextPlan: Equatable {
    /// The side of the handshake, and the settings that it needs.
    enum Role: Equatable {
        case accepting
        /// With the route's endpoints: sessions for resumption are kept by endpoint number.
        case dialling(serverName: String?, identities: [IdentityPattern], endpoints: [SocketAddress])
    }

    let role: Role
    let applicationProtocols: [String]
    let options: TLSOptions
    let material: IdentityMaterial

    func make(clock: @escaping @Sendable () -> Int64) throws(TLSFault) -> TLSContext {
        switch role {
        case .accepting:
            return try TLSContext(
                accepting: material, options: options, applicationProtocols: applicationProtocols, clock: clock)
        case .dialling(let serverName, let identities, _):
            return try TLSContext(
                dialling: material, options: options, applicationProtocols: applicationProtocols,
                serverName: serverName, acceptPeer: { id in identities.match(id) != nil }, clock: clock)
        }
    }
}
