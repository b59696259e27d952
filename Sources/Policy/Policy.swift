import Identity

/// A compiled list of rules: any matching deny rule refuses; else any matching allow rule accepts; else the request is
/// refused. Among rules with the same action the first that matches decides.
///
/// Immutable, so that workers may share it.
public final class Policy: Equatable, Sendable {
    public let name: String
    public let mode: EnforcementMode
    public let rules: [Rule]
    private let denyRules: RuleIndex
    private let allowRules: RuleIndex

    public init(name: String, mode: EnforcementMode = .enforce, rules: [Rule]) {
        self.name = name
        self.mode = mode
        self.rules = rules
        denyRules = RuleIndex(of: rules, action: .deny)
        allowRules = RuleIndex(of: rules, action: .allow)
    }

    /// Whether both decide alike and with the same explanations: the indices follow from the rules.
    public static func == (one: Policy, other: Policy) -> Bool {
        one === other || (one.name == other.name && one.mode == other.mode && one.rules == other.rules)
    }

    /// Decides one request; allocates nothing.
    ///
    /// What is only audited is still enforced for a client without identity: a rule must say that it may pass.
    public func decide(_ request: borrowing Request) -> Decision {
        let mode = request.hasIdentity ? mode : .enforce
        if let index = denyRules.firstMatch(request, in: rules) {
            return Decision(outcome: .denied, ruleIndex: index, mode: mode)
        }
        if let index = allowRules.firstMatch(request, in: rules) {
            return Decision(outcome: .allowed, ruleIndex: index, mode: mode)
        }
        return Decision(outcome: .noMatch, ruleIndex: nil, mode: mode)
    }
}
