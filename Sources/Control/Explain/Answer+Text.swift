import Settings
import Policy

extension Answer {
    /// Text for a person: the decision, then why; several lines.
    public var text: String {
        var lines = [headline, "  listener: \(listener) (\(mode.rawValue))"]
        if let route { lines.append("  route: \(route)") }
        if let endpoints {
            lines.append("  endpoints: \(endpoints.names.joined(separator: ", ")) (\(endpoints.balance.rawValue))")
        }
        switch verdict {
        case .unknownTrustDomain, .noRoute, .certificateRequired, .loop, .passedThrough: break
        case .policy(let name, let mode, let explanation):
            lines.append("  policy: \(name) (\(mode.rawValue))")
            for rule in explanation.rules {
                lines.append("  rule \(rule.name) (\(rule.action.rawValue)): \(part(of: rule, explanation))")
                for condition in rule.conditions {
                    lines.append("    \(condition.holds ? "yes" : "no ") \(condition)")
                }
            }
        case .identities(_, let patterns):
            lines.append("  identities: \(patterns.map(\.description).joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }

    private var headline: String {
        switch verdict {
        case .unknownTrustDomain(let domain): "refused: no trust bundle for \(domain)"
        case .noRoute: "refused: no route matches"
        case .certificateRequired: "refused: the listener requires client certificates"
        case .loop(let own): "refused: a loop, because \(own) is an address of the proxy itself"
        case .passedThrough: "allowed, without protection: no route matches, and it is relayed in plaintext"
        case .identities(let matching?, _): "allowed: the server's ID matches \(matching)"
        case .identities: "refused: the server's ID matches none of the route's identities"
        case .policy(let name, _, let explanation):
            headline(of: explanation, policy: name)
        }
    }

    private func headline(of explanation: Explanation, policy: String) -> String {
        let decision = explanation.decision
        let rule = decision.ruleIndex.map { explanation.rules[$0].name }
        let why = rule.map { "rule \($0) of policy \(policy)" } ?? "no rule of policy \(policy) matches"
        if decision.outcome == .allowed { return "allowed: \(why)" }
        return decision.forwards
            ? "allowed, because policy \(policy) only audits; would be refused: \(why)" : "refused: \(why)"
    }

    private func part(of rule: RuleExplanation, _ explanation: Explanation) -> String {
        switch rule.part {
        case .decided: "decides"
        case .overruled(let index): "matches, but is overruled by rule \(explanation.rules[index].name)"
        case .didNotMatch: "does not match"
        }
    }
}
