import CAllocationCount
import Identity
import Policy
import Testing

@Suite("A policy")
struct PolicyTests {
    private static func rule(
        _ name: String, _ action: Action, _ identities: [String], sources: [String] = [], ports: [String] = [],
        names: [String] = []
    ) throws -> Rule {
        Rule(
            name: name, action: action, identities: try identities.map { try IdentityPattern(parsing: $0) },
            sources: try sources.map { try CIDR(parsing: $0) },
            destinationPorts: try ports.map { try PortRange(parsing: $0) },
            serverNames: try names.map { try ServerNamePattern(parsing: $0) })
    }

    private static func request(
        _ identity: String, source: IPAddress = .v4(0x0A01_0203), port: UInt16 = 443, name: String? = nil
    ) throws -> Request {
        Request(identity: try SPIFFEID(parsing: identity), source: source, destinationPort: port, serverName: name)
    }

    @Test("refuses what no rule matches")
    func noMatch() throws {
        let policy = Policy(name: "p", rules: [])
        let decision = policy.decide(try Self.request("spiffe://a/b"))
        #expect(decision == Decision(outcome: .noMatch, ruleIndex: nil, mode: .enforce))
        #expect(!decision.forwards)
    }

    @Test("lets a deny rule win over an allow rule before it")
    func denyWins() throws {
        let policy = Policy(
            name: "p",
            rules: [
                try Self.rule("all", .allow, ["spiffe://*/**"]),
                try Self.rule("no-legacy", .deny, ["spiffe://a/ns/legacy/**"]),
            ])
        #expect(policy.decide(try Self.request("spiffe://a/ns/legacy/x")).outcome == .denied)
        #expect(policy.decide(try Self.request("spiffe://a/ns/legacy/x")).ruleIndex == 1)
        #expect(policy.decide(try Self.request("spiffe://a/ns/legacy")).outcome == .allowed)
    }

    @Test("in audit mode forwards what it refuses, and reports the refusal")
    func audit() throws {
        let policy = Policy(name: "p", mode: .audit, rules: [try Self.rule("r", .deny, ["spiffe://a/b"])])
        for (identity, outcome) in [("spiffe://a/b", Decision.Outcome.denied), ("spiffe://a/c", .noMatch)] {
            let decision = policy.decide(try Self.request(identity))
            #expect(decision.outcome == outcome)
            #expect(decision.forwards)
        }
    }

    @Test("lets the first of several matching rules decide, whether it names whole IDs or patterns")
    func firstWins() throws {
        let exact = ["spiffe://a/b"]
        let wild = ["spiffe://a/*"]
        for (first, second) in [(exact, wild), (wild, exact), (exact, exact), (wild, wild), (exact, []), ([], exact)] {
            let rules = [
                try Self.rule("other", .allow, ["spiffe://z/z"]), try Self.rule("1", .allow, first),
                try Self.rule("2", .allow, second),
            ]
            #expect(Policy(name: "p", rules: rules).decide(try Self.request("spiffe://a/b")).ruleIndex == 1)
        }
    }

    @Test("with ten thousand rules decides by the right one")
    func manyRules() throws {
        let policy = Policy(name: "p", rules: try Self.manyRules)
        for index in [0, 1, 4_999, 9_998, 9_999] {
            let name = index.isMultiple(of: 2) ? "spiffe://a/even/\(index)" : "spiffe://a/odd/\(index)/x"
            #expect(policy.decide(try Self.request(name)).ruleIndex == index)
        }
        #expect(policy.decide(try Self.request("spiffe://a/even/1")).outcome == .noMatch)
    }

    @Test("decides without allocating")
    func allocatesNothing() throws {
        let policies = [
            Policy(name: "many", rules: try Self.manyRules),
            Policy(
                name: "conditions",
                rules: [
                    try Self.rule(
                        "deny", .deny, ["spiffe://a/x/**"], sources: ["2001:db8::/32"], names: ["*.evil.test"]),
                    try Self.rule(
                        "allow", .allow, ["spiffe://a/a-path-longer-than-fifteen-bytes", "spiffe://*/odd/**"],
                        sources: ["192.0.2.0/24", "10.0.0.0/8"], ports: ["1-10", "443"], names: ["*.internal"]),
                ]),
        ]
        let requests = [
            try Self.request("spiffe://a/even/5000"), try Self.request("spiffe://a/odd/9999/x"),
            try Self.request("spiffe://a/a-path-longer-than-fifteen-bytes", name: "Orders.Of.A.Long.Name.Internal."),
            try Self.request("spiffe://a/x/y", source: .v6(0x2001_0DB8_0000_0000, 1), name: "very.evil.test"),
            try Self.request("spiffe://nobody/nowhere"),
        ]
        func decideAll() -> Int {
            var matches = 0
            for policy in policies.indices {
                for request in requests.indices {
                    matches += policies[policy].decide(requests[request]).ruleIndex == nil ? 0 : 1
                }
            }
            return matches
        }
        // The runtime builds its own tables when code first runs.
        #expect(decideAll() == 4)
        let before = allocation_count()
        for _ in 0..<100 { _ = decideAll() }
        let after = allocation_count()
        #expect(after == before)

        // The counter counts.
        let text = requests.map(\.identity.description)
        #expect(allocation_count() > after, "\(text)")
    }

    /// Even rules name a whole ID, odd ones a pattern.
    private static var manyRules: [Rule] {
        get throws {
            try (0..<10_000).map { index in
                try rule(
                    "\(index)", .allow,
                    [index.isMultiple(of: 2) ? "spiffe://a/even/\(index)" : "spiffe://a/odd/\(index)/*"])
            }
        }
    }
}
