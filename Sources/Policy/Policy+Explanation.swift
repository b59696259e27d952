import Identity

extension Policy {
    /// Decides as `decide` does, and explains every rule.
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
    private static var plaintext: String { "plaintext without identity" }

    private var expectedIdentities: [String] {
        isUnauthenticated ? [Self.plaintext] : identities.map(\.description)
    }

    /// The result of a condition for the request; nil if the rule does not name it.
    fileprivate func explain(_ condition: Condition, for request: Request) -> ConditionExplanation? {
        let (actual, expected): (String?, [String]) =
            switch condition {
            case .identities: (request.identity?.description ?? Self.plaintext, expectedIdentities)
            case .sources: (request.source.description, sources.map(\.description))
            case .destinationPorts: (String(request.destinationPort), destinationPorts.map(\.description))
            case .serverNames: (request.serverName, serverNames.map(\.description))
            }
        guard !expected.isEmpty else { return nil }
        return ConditionExplanation(
            condition: condition, holds: holds(condition, for: request), actual: actual, expected: expected)
    }
}
