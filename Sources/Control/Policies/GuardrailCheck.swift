import Policy
import PolicyAnalysis
public import Settings

/// Whether policies keep within guardrails, over all requests that there can be.
public enum GuardrailCheck {
    /// An error for each rule that allows more, and for each guardrail that no route is under.
    public static func flaws(
        _ guardrails: [Guardrail], of settings: Settings, _ policies: PolicySources
    ) -> [SettingsFlaw] {
        let routes = settings.routePolicies
        return guardrails.flatMap { guardrail in
            let concerned = routes.filter { guardrail.applies(toRoute: $0.route, of: $0.listener) }
            guard !concerned.isEmpty else { return [missing(guardrail)] }
            return concerned.flatMap { flaws(guardrail, $0, policies) }
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

    private static func missing(_ guardrail: Guardrail) -> SettingsFlaw {
        let routes =
            guardrail.routes.isEmpty
            ? "no inbound route" : "no route \(guardrail.routes.map(quoted).joined(separator: ", "))"
        let listeners =
            guardrail.listeners.isEmpty
            ? "" : " of a listener \(guardrail.listeners.map(quoted).joined(separator: ", "))"
        return SettingsFlaw(
            .error, at: guardrail.position,
            "the guardrail \(quoted(guardrail.name)) is for nothing here: there is \(routes)\(listeners)")
    }
}
