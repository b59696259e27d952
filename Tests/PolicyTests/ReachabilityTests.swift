import Identity
import Policy
import PosternTesting
import Testing

@Suite("An unreachable rule")
struct ReachabilityTests {
    private static func shadows(_ rules: [Rule]) -> [[Int]] {
        Policy.unreachableRules(of: rules).map { [$0.index, $0.shadowedBy] }
    }

    private static func rule(_ action: Action, _ identities: String..., sources: [String] = []) throws -> Rule {
        Rule(
            name: "r", action: action, identities: try identities.map { try IdentityPattern(parsing: $0) },
            sources: try sources.map { try CIDR(parsing: $0) })
    }

    @Test("is found behind an earlier rule that matches more")
    func earlier() throws {
        #expect(
            Self.shadows([
                try Self.rule(.allow, "spiffe://a/**"), try Self.rule(.allow, "spiffe://a/x", "spiffe://a/y/*"),
            ]) == [[1, 0]])
        #expect(
            Self.shadows([
                try Self.rule(.allow, "spiffe://a/x", "spiffe://a/y"), try Self.rule(.allow, "spiffe://a/y"),
            ]) == [[1, 0]])
        #expect(
            Self.shadows([try Self.rule(.deny, "spiffe://a/x"), try Self.rule(.deny, "spiffe://a/x")]) == [[1, 0]])
    }

    @Test("is found behind a deny rule that comes later, since deny rules are evaluated first")
    func laterDeny() throws {
        #expect(
            Self.shadows([try Self.rule(.allow, "spiffe://a/x"), try Self.rule(.deny, "spiffe://*/**")]) == [[0, 1]])
    }

    @Test("is none if it matches something that no single rule before it matches")
    func reachable() throws {
        let reachable = [
            [try Self.rule(.allow, "spiffe://a/x"), try Self.rule(.allow, "spiffe://a/*")],
            [try Self.rule(.allow, "spiffe://a/*"), try Self.rule(.allow, "spiffe://a/**")],
            [try Self.rule(.allow, "spiffe://a/*/x"), try Self.rule(.allow, "spiffe://a/**")],
            [try Self.rule(.allow, "spiffe://a/**"), try Self.rule(.deny, "spiffe://a/x")],
            [try Self.rule(.allow, "spiffe://a/**", sources: ["10.0.0.0/8"]), try Self.rule(.allow, "spiffe://a/x")],
            [
                try Self.rule(.allow, "spiffe://a/**", sources: ["10.0.0.0/8"]),
                try Self.rule(.allow, "spiffe://a/x", sources: ["10.1.0.0/16", "192.0.2.1"]),
            ],
        ]
        for rules in reachable { #expect(Self.shadows(rules).isEmpty) }
    }

    @Test("never decides, and all it matches is matched by the rule that shadows it", arguments: 0..<8)
    func sound(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var matches = 0
        for _ in 0..<40 {
            let texts = (0..<6).map { _ in RuleText(using: &generator) }
            let rules = try texts.map { try $0.rule(named: "r") }
            let policy = Policy(name: "p", rules: rules)
            for (index, shadow) in Policy.unreachableRules(of: rules) {
                for _ in 0..<300 {
                    let text = RequestText(using: &generator)
                    guard PolicyOracleTests.matches(texts[index], text) else { continue }
                    matches += 1
                    #expect(PolicyOracleTests.matches(texts[shadow], text), "seed \(seed): \(texts) \(text)")
                    #expect(policy.decide(try text.request).ruleIndex != index)
                }
            }
        }
        #expect(matches > 100)
    }
}
