import Policy
import TLS
import SVID

/// Everything a TLS context is made from: as long as it is unchanged the context stays, and with it the resumable
/// sessions and the remembered chains of its peers.
struct ContextPlan: Equatable {
    /// The side of the handshake, and the settings that it needs.
    enum Role: Equatable {
        case accepting
        case dialling(serverName: String?, identities: [IdentityPattern])
    }

    let role: Role
    let applicationProtocols: [String]
    let options: TLSOptions
    private(set) var material: IdentityMaterial

    /// Whether sessions of this one may go on in `other`: nothing differs but what is trusted, and by that each of them
    /// is judged.
    func isContinued(by other: ContextPlan) -> Bool {
        var trusting = other
        trusting.material = other.material.trustingLike(material)
        return self == trusting
    }

    /// - Parameter continuing: the context that it takes the place of, where sessions go on.
    func make(
        continuing: TLSContext?, clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) -> TLSContext {
        switch role {
        case .accepting:
            return try TLSContext(
                accepting: material, options: options, applicationProtocols: applicationProtocols,
                continuing: continuing, clock: clock)
        case .dialling(let serverName, let identities):
            return try TLSContext(
                dialling: material, options: options, applicationProtocols: applicationProtocols,
                serverName: serverName, continuing: continuing, acceptPeer: { id in identities.match(id) != nil },
                clock: clock)
        }
    }
}
