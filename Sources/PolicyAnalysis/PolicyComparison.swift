public import Policy

/// What a policy makes of a request, as the peer sees it.
public enum Effect: String, Hashable, Sendable, CaseIterable {
    case allow
    case deny
    /// Forwarded, because the policy only audits.
    case wouldDeny = "would-deny"
}

/// An effect, and the rule that it comes from.
public struct Verdict: Hashable, Sendable {
    public let effect: Effect
    /// Among the policy's rules; nil: none matched.
    public let ruleIndex: Int?

    public init(effect: Effect, ruleIndex: Int?) {
        self.effect = effect
        self.ruleIndex = ruleIndex
    }

    /// - Parameter hasIdentity: whether the peer has one: without, nothing passes for being audited only.
    init(of rules: [Rule], matched: RuleSet, from first: Int, mode: EnforcementMode, hasIdentity: Bool) {
        let refusal: Effect = mode == .audit && hasIdentity ? .wouldDeny : .deny
        let matching = rules.indices.filter { matched.contains(first + $0) }
        if let index = matching.first(where: { rules[$0].action == .deny }) {
            self.init(effect: refusal, ruleIndex: index)
        } else if let index = matching.first(where: { rules[$0].action == .allow }) {
            self.init(effect: .allow, ruleIndex: index)
        } else {
            self.init(effect: refusal, ruleIndex: nil)
        }
    }
}

/// How two policies differ, over all requests there can be.
public enum PolicyComparison {
    /// Requests of which the policies make something else, all with the same two verdicts.
    public struct Difference: Sendable {
        public let before: Verdict
        public let after: Verdict
        public let requests: RequestClass
    }

    /// Where the effect changes; in the order of the rules. Empty: no request there can be is treated otherwise.
    ///
    /// - Parameters:
    ///   - scope: the requests that there can be.
    ///   - steps: how much work it may be, some ten nanoseconds each.
    public static func differences(
        from before: Policy, to after: Policy, within scope: RequestScope = .everything, steps: Int = standardSteps
    ) throws(WorkLimitReached) -> [Difference] {
        struct Pair: Hashable {
            var before: Verdict
            var after: Verdict
        }
        let contents = contents(of: before.rules + after.rules)
        let (count, end) = (before.rules.count, contents.count)
        let isAlike = before.mode == after.mode
        var classes = RequestClasses<Pair>(before.rules + after.rules, within: scope, steps: steps) { live in
            guard isAlike else { return false }
            let indices = live.indices.filter { $0 < end }
            // The same rules on both sides decide alike, in whatever order they stand.
            return Set(indices.filter { $0 < count }.map { contents[$0] })
                == Set(indices.filter { $0 >= count }.map { contents[$0] })
        } key: { matched, hasIdentity in
            let pair = Pair(
                before: Verdict(
                    of: before.rules, matched: matched, from: 0, mode: before.mode, hasIdentity: hasIdentity),
                after: Verdict(
                    of: after.rules, matched: matched, from: count, mode: after.mode, hasIdentity: hasIdentity))
            return pair.before.effect == pair.after.effect ? nil : pair
        }
        let found = try classes.find()
        return found.map { Difference(before: $0.key.before, after: $0.key.after, requests: $0.value) }
            .sorted { order($0) < order($1) }
    }

    /// The rules that decide no request at all: those before them match all that they match, alone or together.
    public static func idleRules(
        of rules: [Rule], steps: Int = standardSteps
    ) throws(WorkLimitReached) -> [Int] {
        var classes = RequestClasses<Int>(rules, within: .everything, steps: steps) { matched, hasIdentity in
            Verdict(of: rules, matched: matched, from: 0, mode: .enforce, hasIdentity: hasIdentity).ruleIndex
        }
        let deciding = try classes.find()
        return rules.indices.filter { deciding[$0] == nil }
    }

    /// Requests that a policy lets through and a guardrail does not, one class for each rule of the policy that does so
    /// (nil: none, where it only audits). Empty: no request there can be.
    ///
    /// - Parameters:
    ///   - guardrail: all that may be allowed, as rules.
    ///   - scope: the requests that there can be.
    public static func breaches(
        of guardrail: [Rule], by policy: Policy, within scope: RequestScope = .everything, steps: Int = standardSteps
    ) throws(WorkLimitReached) -> [(ruleIndex: Int?, requests: RequestClass)] {
        let count = policy.rules.count
        var classes = RequestClasses<Int?>(policy.rules + guardrail, within: scope, steps: steps) {
            matched, hasIdentity in
            let verdict = Verdict(
                of: policy.rules, matched: matched, from: 0, mode: policy.mode, hasIdentity: hasIdentity)
            let limit = Verdict(
                of: guardrail, matched: matched, from: count, mode: .enforce, hasIdentity: hasIdentity)
            return verdict.effect == .deny || limit.effect == .allow ? .none : .some(verdict.ruleIndex)
        }
        let found = try classes.find()
        return found.map { (ruleIndex: $0.key, requests: $0.value) }
            .sorted { ($0.ruleIndex ?? .max) < ($1.ruleIndex ?? .max) }
    }

    /// Some seconds, for whoever waits for an answer.
    public static let standardSteps = 100_000_000
    /// Less than a second, for a proxy that reloads its settings.
    public static let reloadSteps = 20_000_000

    private static func order(_ difference: Difference) -> (Int, Int, String) {
        (
            difference.before.ruleIndex ?? .max, difference.after.ruleIndex ?? .max,
            difference.before.effect.rawValue + difference.after.effect.rawValue
        )
    }

    /// For each rule a number that all rules with the same action and conditions have.
    private static func contents(of rules: [Rule]) -> [Int] {
        var numbers: [RuleContent: Int] = [:]
        return rules.map { rule in
            let content = RuleContent(rule)
            if let number = numbers[content] { return number }
            numbers[content] = numbers.count
            return numbers.count - 1
        }
    }
}

/// A rule without its name; what its conditions list, in any order.
private struct RuleContent: Hashable {
    let denies: Bool
    let isUnauthenticated: Bool
    let identities: Set<IdentityPattern>
    let sources: Set<CIDR>
    let destinationPorts: Set<PortRange>
    let serverNames: Set<ServerNamePattern>

    init(_ rule: Rule) {
        denies = rule.action == .deny
        isUnauthenticated = rule.isUnauthenticated
        identities = Set(rule.identities)
        sources = Set(rule.sources)
        destinationPorts = Set(rule.destinationPorts)
        serverNames = Set(rule.serverNames)
    }
}
