import Identity

/// The decision about one request, and for every rule why it did or did not match.
public struct Explanation: Sendable {
    public let decision: Decision
    /// One for each rule of the policy, in order.
    public let rules: [RuleExplanation]
}

/// How one rule met one request.
public struct RuleExplanation: Sendable {
    /// What a rule had to do with the decision.
    public enum Part: Equatable, Sendable {
        /// It matched and decided.
        case decided
        /// It matched, but the rule at this index comes first.
        case overruled(by: Int)
        /// A condition of it does not hold.
        case didNotMatch
    }

    public let index: Int
    public let name: String
    public let action: Action
    public let part: Part
    /// One for each condition that the rule names.
    public let conditions: [ConditionExplanation]

    /// The conditions that kept the rule from matching.
    public var failedConditions: [ConditionExplanation] { conditions.filter { !$0.holds } }
}

/// How one condition of a rule met one request: what was compared, and whether it holds.
public struct ConditionExplanation: Sendable {
    public let condition: Condition
    public let holds: Bool
    /// The request's value; nil if it has none (no SNI was sent).
    public let actual: String?
    /// The rule's values, any of which would do.
    public let expected: [String]
}

extension ConditionExplanation: CustomStringConvertible {
    /// `sources: 192.0.2.1 is none of 10.0.0.0/8`
    public var description: String {
        let relation = expected.count == 1 ? (holds ? "matches" : "does not match") : holds ? "is one of" : "is none of"
        return "\(condition.rawValue): \(actual ?? "nothing") \(relation) \(expected.joined(separator: ", "))"
    }
}

extension Policy {
    /// Decides as `decide` does, and says for every rule why.
    public func explain(_ request: Request) -> Explanation {
        let decision = decide(request)
        let rules = self.rules.enumerated().map { index, rule in
            let conditions = Condition.allCases.compactMap { rule.explain($0, for: request) }
            return RuleExplanation(
                index: index, name: rule.name, action: rule.action,
                part: Self.part(index, matches: conditions.allSatisfy(\.holds), decidedBy: decision.ruleIndex),
                conditions: conditions)
        }
        return Explanation(decision: decision, rules: rules)
    }

    private static func part(_ index: Int, matches: Bool, decidedBy decider: Int?) -> RuleExplanation.Part {
        guard matches, let decider else { return .didNotMatch }
        return index == decider ? .decided : .overruled(by: decider)
    }
}

extension Rule {
    /// How a condition met the request; nil if the rule does not name it.
    fileprivate func explain(_ condition: Condition, for request: Request) -> ConditionExplanation? {
        let (actual, expected): (String?, [String]) =
            switch condition {
            case .identities: (request.identity.description, identities.map(\.description))
            case .sources: (request.source.description, sources.map(\.description))
            case .destinationPorts: (String(request.destinationPort), destinationPorts.map(\.description))
            case .serverNames: (request.serverName, serverNames.map(\.description))
            }
        guard !expected.isEmpty else { return nil }
        return ConditionExplanation(
            condition: condition, holds: holds(condition, for: request), actual: actual, expected: expected)
    }
}
