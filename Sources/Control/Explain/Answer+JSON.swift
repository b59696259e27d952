import Policy
import Settings
import Telemetry

extension Answer {
    /// One line of JSON: `decision` as in the access log, `forwards`, and every rule with its conditions.
    public var json: String {
        var json = JSONWriter()
        json.beginObject()
        json.field("decision", decision.rawValue)
        json.field("forwards", forwards)
        json.field("listener", listener)
        json.field("direction", mode.rawValue)
        json.field("route", route)
        if let endpoints {
            json.beginArray("endpoints")
            for name in endpoints.names { json.element(name) }
            json.endArray()
            json.field("balance", endpoints.balance.rawValue)
        }
        switch verdict {
        case .unknownTrustDomain: json.field("reason", "unknown-trust-domain")
        case .noRoute: json.field("reason", "no-route")
        case .certificateRequired: json.field("reason", "certificate-required")
        case .loop: json.field("reason", "loop")
        case .passedThrough: json.field("protected", false)
        case .identities(let matching, let patterns):
            if matching == nil { json.field("reason", "identity-not-expected") }
            json.field("identity", matching?.description)
            json.beginArray("identities")
            for pattern in patterns { json.element(pattern.description) }
            json.endArray()
        case .policy(let name, let mode, let explanation):
            if explanation.decision.outcome != .allowed { json.field("reason", "policy-denied") }
            json.field("policy", name)
            json.field("mode", mode.rawValue)
            json.field("rule", explanation.decision.ruleIndex.map { explanation.rules[$0].name })
            json.beginArray("rules")
            for rule in explanation.rules { Self.write(rule, explanation, to: &json) }
            json.endArray()
        }
        json.endObject()
        return json.text
    }

    private var decision: AccessRecord.Decision {
        if case .policy(_, _, let explanation) = verdict, explanation.decision.outcome != .allowed, forwards {
            return .wouldDeny
        }
        if case .passedThrough = verdict { return .passedThrough }
        return forwards ? .allowed : .denied
    }

    private static func write(_ rule: RuleExplanation, _ explanation: Explanation, to json: inout JSONWriter) {
        json.beginObject()
        json.field("name", rule.name)
        json.field("action", rule.action.rawValue)
        switch rule.part {
        case .decided: json.field("part", "decided")
        case .overruled(let index):
            json.field("part", "overruled")
            json.field("by", explanation.rules[index].name)
        case .didNotMatch: json.field("part", "did-not-match")
        }
        json.beginArray("conditions")
        for condition in rule.conditions {
            json.beginObject()
            json.field("condition", condition.condition.rawValue)
            json.field("holds", condition.holds)
            json.field("actual", condition.actual)
            json.beginArray("expected")
            for value in condition.expected { json.element(value) }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
