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
