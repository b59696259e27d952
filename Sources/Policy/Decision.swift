/// What a policy says about one request, and which rule said it.
public struct Decision: Equatable, Sendable {
    public enum Outcome: String, Sendable {
        /// By an allow rule, and no deny rule matched.
        case allowed
        /// By a deny rule.
        case denied
        /// No rule matched, which refuses.
        case noMatch = "no-match"
    }

    public let outcome: Outcome
    /// The index of the deciding rule among the policy's rules; nil if none matched.
    public let ruleIndex: Int?
    public let mode: EnforcementMode

    public init(outcome: Outcome, ruleIndex: Int?, mode: EnforcementMode) {
        self.outcome = outcome
        self.ruleIndex = ruleIndex
        self.mode = mode
    }

    /// Whether the connection goes on: it is allowed, or its refusal is only to be logged.
    public var forwards: Bool { outcome == .allowed || mode == .audit }
}
