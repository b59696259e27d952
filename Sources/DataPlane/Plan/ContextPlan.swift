import Policy
import System
import TLS
import SVID

/// All that a TLS context is made from: where nothing of it changes, the context stays, and with it the sessions that
/// its peers may continue and what was remembered of their chains.
struct ContextPlan: Equatable {
    /// Which end of the handshake, and what of the settings it needs.
    enum Role: Equatable {
        case accepting
        /// A route's endpoints go with it: what one of them gave us for resumption is known by its number.
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
