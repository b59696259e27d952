/// The kinds of condition that a rule may name, in the order in which they are tried and explained.
public enum Condition: String, Sendable, CaseIterable {
    case identities, sources, destinationPorts
    case serverNames = "sni"
}

extension Rule {
    /// Whether the rule does not name this condition, or any of its values matches; allocates nothing.
    func holds(_ condition: Condition, for request: borrowing Request) -> Bool {
        // Loops go by index: in debug builds, which the tests count allocations in, an array's iterator allocates.
        switch condition {
        case .identities:
            guard !identities.isEmpty else { return !isUnauthenticated || !request.hasIdentity }
            guard request.hasIdentity else { return false }
            for index in identities.indices where identities[index].matches(request.peer) { return true }
        case .sources:
            guard !sources.isEmpty else { return true }
            for index in sources.indices where sources[index].contains(request.source) { return true }
        case .destinationPorts:
            guard !destinationPorts.isEmpty else { return true }
            for index in destinationPorts.indices where destinationPorts[index].contains(request.destinationPort) {
                return true
            }
        case .serverNames:
            guard !serverNames.isEmpty else { return true }
            guard let serverName = request.serverName else { return false }
            for index in serverNames.indices where serverNames[index].matches(serverName) { return true }
        }
        return false
    }
}
