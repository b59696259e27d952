/// The result of one condition for one request: what was compared, and whether it holds.
public struct ConditionExplanation: Sendable {
    public let condition: Condition
    public let holds: Bool
    /// The request's value; nil if it has none (no SNI was sent).
    public let actual: String?
    /// The rule's values; any one of them satisfies the condition.
    public let expected: [String]
}

extension ConditionExplanation: CustomStringConvertible {
    /// `sources: 192.0.2.1 is none of 10.0.0.0/8`
    public var description: String {
        let relation = expected.count == 1 ? (holds ? "matches" : "does not match") : holds ? "is one of" : "is none of"
        return "\(condition.rawValue): \(actual ?? "nothing") \(relation) \(expected.joined(separator: ", "))"
    }
}
