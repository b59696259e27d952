import Identity

extension Policy {
    /// The rules that can never decide, each with an earlier rule that matches every request it matches.
    ///
    /// All deny rules are evaluated before all allow rules; rules with the same action, in order. A rule that only
    /// several others together cover is not found.
    public static func unreachableRules(of rules: [Rule]) -> [(index: Int, shadowedBy: Int)] {
        let denyRules = RuleIndex(of: rules, action: .deny)
        let allowRules = RuleIndex(of: rules, action: .allow)
        return rules.enumerated().compactMap { index, rule in
            // A rule that covers this one covers, in particular, the first of its patterns.
            let pattern = rule.identities.first
            var candidates = denyRules.candidates(toCover: pattern)
            if rule.action == .allow { candidates += allowRules.candidates(toCover: pattern) }
            let shadow = candidates.first {
                (rules[$0].action != rule.action || $0 < index) && rules[$0].covers(rule)
            }
            return shadow.map { (index: index, shadowedBy: $0) }
        }
    }
}

extension Rule {
    /// Whether this rule provably matches every request that `other` matches.
    func covers(_ other: Rule) -> Bool {
        (!isUnauthenticated || other.isUnauthenticated)
            && Self.covers(identities, other.identities) { $0.covers($1) }
            && Self.covers(sources, other.sources) { $0.contains($1) }
            && Self.covers(destinationPorts, other.destinationPorts) { $0.contains($1) }
            && Self.covers(serverNames, other.serverNames) { $0.covers($1) }
    }

    /// Whether each value of a condition is covered by one of another's; an empty condition covers all.
    private static func covers<Value>(
        _ values: [Value], _ others: [Value], by coversOne: (Value, Value) -> Bool
    ) -> Bool {
        guard !values.isEmpty else { return true }
        guard !others.isEmpty else { return false }
        return others.allSatisfy { other in values.contains { coversOne($0, other) } }
    }
}
