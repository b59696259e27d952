import Policy
import Settings

/// Finds rules whose `destinationPorts` no connection can have: except on a transparent listener, all connect to the
/// listener's own port.
enum UnmatchedPorts {
    static func warnings(_ settings: Settings, _ sources: SourceMap) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        let users = users(of: settings, sources)
        for (policy, users) in zip(settings.policies, users) {
            guard let first = users.first, !users.contains(where: { $0.port == nil }) else { continue }
            let ports = users.compactMap(\.port)
            for rule in policy.rules where !rule.destinationPorts.isEmpty {
                guard !ports.contains(where: { port in rule.destinationPorts.contains { $0.contains(port) } }) else {
                    continue
                }
                warnings.append(
                    SettingsFlaw(
                        .warning, at: first.position,
                        "the rule `\(rule.name)` of the policy `\(policy.name)` never matches: it names"
                            + " `destinationPorts`, and \(first.port == 0 ? "a Unix socket has none" : own(first));"
                            + " only a transparent listener sees other ports"))
            }
        }
        return warnings
    }

    /// A route of an inbound listener that names a policy.
    private struct User {
        let position: Position
        /// The port to which all its peers connect; 0 for a Unix socket, nil if it is not known.
        let port: UInt16?
    }

    private static func own(_ user: User) -> String {
        "the peers here connect to the listener's own port" + (user.port.map { ", \($0)" } ?? "")
    }

    /// The users of each policy.
    private static func users(of settings: Settings, _ sources: SourceMap) -> [[User]] {
        var users: [[User]] = Array(repeating: [], count: settings.policies.count)
        for (listenerIndex, listener) in settings.listeners.enumerated() where listener.mode == .inbound {
            // A port that the kernel picks is not known here.
            let bound = listener.bind.endpoint.map { $0.port == 0 ? nil : $0.port } ?? 0
            for (routeIndex, route) in listener.routes.enumerated() {
                guard let policy = route.policyIndex else { continue }
                let position = sources.policy(ofRoute: routeIndex, ofListener: listenerIndex)
                users[policy].append(User(position: position, port: listener.transparency == .off ? bound : nil))
            }
        }
        return users
    }
}
