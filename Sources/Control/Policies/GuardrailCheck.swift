import Policy
import PolicyAnalysis
public import Settings

/// Whether policies keep within guardrails, over all requests that there can be.
public enum GuardrailCheck {
    /// An error for each rule that allows more, and for each name of a guardrail that nothing has.
    public static func flaws(
        _ guardrails: [Guardrail], of settings: Settings, _ policies: PolicySources
    ) -> [SettingsFlaw] {
        let routes = settings.routePolicies
        return guardrails.flatMap { guardrail in
            let concerned = routes.filter { guardrail.applies(toRoute: $0.route, of: $0.listener) }
            return missing(guardrail, routes) + concerned.flatMap { flaws(guardrail, $0, policies) }
        }
    }

    private static func flaws(
        _ guardrail: Guardrail, _ route: RoutePolicy, _ policies: PolicySources
    ) -> [SettingsFlaw] {
        let policy = route.policy
        let place = "the route \(quoted(route.route)) of the listener \(quoted(route.listener))"
        do throws(WorkLimitReached) {
            return try PolicyComparison.breaches(
                of: guardrail.rules, by: policy, within: route.scope,
                steps: PolicyComparison.reloadSteps
            ).map { breach in
                let cause =
                    if let index = breach.ruleIndex, policy.rules[index].action == .allow {
                        "the rule \(quoted(policy.rules[index].name)) allows on \(place)"
                    } else {
                        "the policy \(quoted(policy.name)) only audits, and so lets through on \(place)"
                    }
                let position =
                    breach.ruleIndex.map { policies.rule($0, of: policy.name) } ?? policies.policy(policy.name)
                return SettingsFlaw(
                    .error, at: position,
                    "\(cause) what the guardrail \(quoted(guardrail.name)) does not: \(breach.requests.description)")
            }
        } catch {
            // What cannot be proved is not so.
            return [
                SettingsFlaw(
                    .error, at: policies.policy(policy.name),
                    "the guardrail \(quoted(guardrail.name)) cannot be proved of \(place): \(error)")
            ]
        }
    }

    /// What the guardrail names, and is not there: under another name it would be free of it.
    private static func missing(_ guardrail: Guardrail, _ routes: [RoutePolicy]) -> [SettingsFlaw] {
        let names =
            guardrail.listeners.map { name in ("listener", name, routes.contains { $0.listener == name }) }
            + guardrail.routes.map { name in
                (
                    "route", name,
                    routes.contains { $0.route == name && guardrail.applies(toRoute: name, of: $0.listener) }
                )
            }
        var flaws = names.filter { !$0.2 }.map { kind, name, _ in
            SettingsFlaw(
                .error, at: guardrail.position,
                "the guardrail \(quoted(guardrail.name)) is for the inbound \(kind) \(quoted(name)), and there is none")
        }
        if names.isEmpty, routes.isEmpty {
            flaws.append(
                SettingsFlaw(
                    .error, at: guardrail.position,
                    "the guardrail \(quoted(guardrail.name)) is for nothing here: there is no inbound route"))
        }
        return flaws
    }
}
