/// One rule of a policy: it matches when every condition it names holds.
///
/// A condition holds if any of its values matches; an empty list is a condition that the rule does not name.
public struct Rule: Equatable, Sendable {
    public let name: String
    public let action: Action
    public let identities: [IdentityPattern]
    public let sources: [CIDR]
    public let destinationPorts: [PortRange]
    public let serverNames: [ServerNamePattern]

    public init(
        name: String, action: Action, identities: [IdentityPattern] = [], sources: [CIDR] = [],
        destinationPorts: [PortRange] = [], serverNames: [ServerNamePattern] = []
    ) {
        self.name = name
        self.action = action
        self.identities = identities
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
