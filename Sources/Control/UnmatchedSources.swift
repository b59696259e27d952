import Policy
import Settings

/// Finds rules that an inbound listener on a Unix socket can never match: its clients have no address.
enum UnmatchedSources {
    static func warnings(_ settings: Settings, _ sources: SourceMap) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for (listenerIndex, listener) in settings.listeners.enumerated()
        where listener.mode == .inbound && listener.bind.endpoint == nil {
            var admitsPlaintext = false
            for (routeIndex, route) in listener.routes.enumerated() {
                guard let policy = route.policyIndex.map({ settings.policies[$0] }) else { continue }
                let position = sources.policy(ofRoute: routeIndex, ofListener: listenerIndex)
                for rule in policy.rules {
                    if rule.matchesClientsWithoutAddress {
                        if rule.action == .allow, rule.isUnauthenticated { admitsPlaintext = true }
                    } else {
                        warnings.append(
                            SettingsFlaw(
                                .warning, at: position,
                                "the rule `\(rule.name)` of the policy `\(policy.name)` never matches here: it names"
                                    + " `sources`, and clients of a Unix socket have no address"))
                    }
                }
            }
            if listener.permissive != nil, !admitsPlaintext {
                warnings.append(
                    SettingsFlaw(
                        .warning, at: sources.clientCertificates(ofListener: listenerIndex),
                        "no client of plaintext is let in here: rules for them name `sources`, and clients of a Unix"
                            + " socket have no address; say who may connect with `callers`, and leave this out"))
            }
        }
        return warnings
    }
}

extension Rule {
    /// Whether its `sources` hold for the unspecified address, which stands for a Unix socket's.
    fileprivate var matchesClientsWithoutAddress: Bool {
        sources.isEmpty || sources.contains { $0.contains(.v6(0, 0)) }
    }
}
