/// What a session was made under, each by a number that changes with it. A session is continued only under the very
/// same numbers; any other means a full handshake.
public struct SessionGenerations: Hashable, Sendable {
    /// Our SVID and the trust bundles: `IdentityMaterial.generation`.
    public var identity: UInt64
    /// The lists of revoked certificates.
    public var revocation: UInt64
    /// The policies, and what else decides whom we talk to.
    public var policy: UInt64

    public init(identity: UInt64, revocation: UInt64 = 0, policy: UInt64 = 0) {
        self.identity = identity
        self.revocation = revocation
        self.policy = policy
    }
}
