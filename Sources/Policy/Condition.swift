/// The kinds of condition that a rule may name, in the order in which they are tried and explained.
public enum Condition: String, Sendable, CaseIterable {
    case identities, sources, destinationPorts
    case serverNames = "sni"
}

extension Rule {
    /// Whether the rule does not name this condition, or any of its values matches; allocates nothing.
    func holds(_ condition: Condition, for request: borrowing Request) -> Bool {
        switch condition {
        case .identities:
            guard !identities.isEmpty else { return true }
            for pattern in identities where pattern.matches(request.identity) { return true }
        case .sources:
            guard !sources.isEmpty else { return true }
            for block in sources where block.contains(request.source) { return true }
        case .destinationPorts:
            guard !destinationPorts.isEmpty else { return true }
            for range in destinationPorts where range.contains(request.destinationPort) { return true }
        case .serverNames:
            guard !serverNames.isEmpty else { return true }
            guard let serverName = request.serverName else { return false }
            for pattern in serverNames where pattern.matches(serverName) { return true }
        }
        return false
    }
}
