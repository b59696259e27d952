/// One rule of a policy: it matches when every condition it names holds.
///
/// A condition holds if any of its values matches; an empty list is a condition that the rule does not name.
public struct Rule: Equatable, Sendable {
    public let name: String
    public let action: Action
    /// Empty where every peer is meant, or, with ``isUnauthenticated``, no peer.
    public let identities: [IdentityPattern]
    /// Whether it matches clients without identity, and no others; without it, a rule that names identities matches
    /// none of these.
    public let isUnauthenticated: Bool
    public let sources: [CIDR]
    public let destinationPorts: [PortRange]
    public let serverNames: [ServerNamePattern]

    public init(
        name: String, action: Action, identities: [IdentityPattern] = [], isUnauthenticated: Bool = false,
        sources: [CIDR] = [], destinationPorts: [PortRange] = [], serverNames: [ServerNamePattern] = []
    ) {
        precondition(identities.isEmpty || !isUnauthenticated, "who has no identity matches none")
        self.name = name
        self.action = action
        self.identities = identities
        self.isUnauthenticated = isUnauthenticated
        self.sources = sources
        self.destinationPorts = destinationPorts
        self.serverNames = serverNames
    }

    /// Whether every condition holds, the cheapest asked first; allocates nothing.
    public func matches(_ request: borrowing Request) -> Bool {
        guard holds(.destinationPorts, for: request) else { return false }
        guard holds(.sources, for: request) else { return false }
        guard holds(.identities, for: request) else { return false }
        return holds(.serverNames, for: request)
    }
}
