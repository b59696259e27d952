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

    @Test("lets a client without identity pass only where a rule says so, whatever its mode")
    func plaintext() throws {
        let request = { Request(identity: nil, source: .v4($0), destinationPort: 443, serverName: nil) }
        let legacy = Rule(
            name: "legacy", action: .allow, isUnauthenticated: true, sources: [try CIDR(parsing: "10.0.0.0/8")])
        let everyone = try Self.rule("all", .allow, ["spiffe://*/**"])
        let open = Rule(name: "open", action: .allow, sources: [try CIDR(parsing: "192.0.2.0/24")])
        let none = Rule(name: "none", action: .deny, isUnauthenticated: true)
        for mode in [EnforcementMode.enforce, .audit] {
            let policy = Policy(name: "p", mode: mode, rules: [everyone, legacy])
            #expect(policy.decide(request(0x0A00_0001)).ruleIndex == 1 && policy.decide(request(0x0A00_0001)).forwards)
            #expect(!policy.decide(request(0x0B00_0001)).forwards)
            // Who has an identity is no client of plaintext.
            #expect(try policy.decide(Self.request("spiffe://a/b")).ruleIndex == 0)
            #expect(!Policy(name: "p", mode: mode, rules: [everyone]).decide(request(0x0A00_0001)).forwards)
            #expect(!Policy(name: "p", mode: mode, rules: [legacy, none]).decide(request(0x0A00_0001)).forwards)
            #expect(Policy(name: "p", mode: mode, rules: [open]).decide(request(0xC000_0201)).forwards)
        }
        let explanation = Policy(name: "p", rules: [legacy]).explain(try Self.request("spiffe://a/b"))
        #expect(
            explanation.rules[0].failedConditions.map(\.description) == [
                "identities: spiffe://a/b does not match plaintext without identity"
            ])
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
        let text = requests.map { $0.identity?.description }
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
