/// The result of one rule for one request.
public struct RuleExplanation: Sendable {
    /// A rule's part in the decision.
    public enum Part: Equatable, Sendable {
        /// It matched and decided.
        case decided
        /// It matched, but the rule at this index comes first.
        case overruled(by: Int)
        /// One of its conditions does not hold.
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
