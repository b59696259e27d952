import Policy
import Settings

/// Finds inbound routes with `original` that open every port of loopback to the peers that they allow: also those of
/// programs that listen there because nobody else is to reach them.
enum LoopbackExposure {
    static func warnings(_ settings: Settings, _ sources: SourceMap) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for (listenerIndex, listener) in settings.listeners.enumerated() where listener.mode == .inbound {
            for (routeIndex, route) in listener.routes.enumerated()
            where route.upstream.target == .original && route.match.destinationPorts.isEmpty {
                guard let policy = route.policyIndex.map({ settings.policies[$0] }),
                    let rule = policy.rules.first(where: { $0.action == .allow && $0.destinationPorts.isEmpty })
                else { continue }
                warnings.append(
                    SettingsFlaw(
                        .warning, at: sources.upstream(ofRoute: routeIndex, ofListener: listenerIndex),
                        "the rule `\(rule.name)` of the policy `\(policy.name)` lets its peers reach every port of"
                            + " loopback, also of programs that nobody else is to reach: name the application's in"
                            + " `destinationPorts`"))
            }
        }
        return warnings
    }
}
