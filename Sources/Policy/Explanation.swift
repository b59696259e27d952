/// The decision on one request, and why each rule did or did not match.
public struct Explanation: Sendable {
    public let decision: Decision
    /// One for each rule of the policy, in order.
    public let rules: [RuleExplanation]
}
