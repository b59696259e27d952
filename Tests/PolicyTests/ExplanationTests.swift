import Identity
import Policy
import PosternTesting
import Testing

@Suite("An explanation")
struct ExplanationTests {
    @Test("says for every rule which condition failed and what was compared")
    func conditions() throws {
        let policy = Policy(
            name: "p",
            rules: [
                Rule(
                    name: "office", action: .allow, identities: [try IdentityPattern(parsing: "spiffe://a/b")],
                    sources: [try CIDR(parsing: "10.0.0.0/8"), try CIDR(parsing: "2001:db8::/32")]),
                Rule(
                    name: "web", action: .allow, destinationPorts: [try PortRange(parsing: "80-443")],
                    serverNames: [try ServerNamePattern(parsing: "*.internal")]),
                Rule(name: "all", action: .allow),
                Rule(name: "again", action: .allow, identities: [try IdentityPattern(parsing: "spiffe://a/*")]),
            ])
        let request = Request(
            identity: try SPIFFEID(parsing: "spiffe://a/b"), source: .v4(0xC000_0201), destinationPort: 443,
            serverName: nil)
        let explanation = policy.explain(request)
        #expect(explanation.decision == policy.decide(request))
        #expect(explanation.decision.ruleIndex == 2)
        #expect(explanation.rules.map(\.part) == [.didNotMatch, .didNotMatch, .decided, .overruled(by: 2)])
        #expect(
            explanation.rules.map { $0.conditions.map(\.condition) } == [
                [.identities, .sources], [.destinationPorts, .serverNames], [], [.identities],
            ])
        #expect(
            explanation.rules[0].failedConditions.map(\.description) == [
                "sources: 192.0.2.1 is none of 10.0.0.0/8, 2001:db8::/32"
            ])
        #expect(
            explanation.rules[1].conditions.map(\.description) == [
                "destinationPorts: 443 matches 80-443", "sni: nothing does not match *.internal",
            ])
    }

    @Test("agrees with the decision, and blames a condition of every rule that did not match", arguments: 0..<4)
    func agrees(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let texts = (0..<6).map { _ in RuleText(using: &generator) }
            let policy = Policy(name: "p", rules: try texts.map { try $0.rule(named: "r") })
            let text = RequestText(using: &generator)
            let explanation = policy.explain(try text.request)
            #expect(explanation.decision == policy.decide(try text.request))
            for rule in explanation.rules {
                let matches = PolicyOracleTests.matches(texts[rule.index], text)
                #expect((rule.part != .didNotMatch) == matches)
                #expect(rule.failedConditions.isEmpty == matches)
                #expect((rule.part == .decided) == (rule.index == explanation.decision.ruleIndex))
            }
        }
    }
}
