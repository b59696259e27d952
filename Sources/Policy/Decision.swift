/// A policy's decision on one request, and the rule that made it.
public struct Decision: Equatable, Sendable {
    public enum Outcome: String, Sendable {
        /// An allow rule matched and no deny rule did.
        case allowed
        /// A deny rule matched.
        case denied
        /// No rule matched: refused by default.
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

    /// Whether the connection is forwarded: it is allowed, or audit mode only logs the refusal.
    public var forwards: Bool { outcome == .allowed || mode == .audit }
}
