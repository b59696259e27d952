import Identity
import Policy
import Testing

@testable import PolicyAnalysis

/// A generator that gives the same numbers in each run.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// A small universe: all requests of a few values of each condition, which hold every way to match the patterns.
enum Universe {
    static let patterns = [
        "spiffe://a/x", "spiffe://a/*", "spiffe://a/**", "spiffe://*/x", "spiffe://*/**", "spiffe://a/x/y",
        "spiffe://a/*/y", "spiffe://a/x/*", "spiffe://b/**", "spiffe://*/*/y", "spiffe://a/x/**",
    ]
    static let identities =
        ["a", "b", "c"].flatMap { domain in
            ["x", "z", "x/y", "x/z", "z/y", "z/z", "x/y/z", "z/y/z", "x/z/z/z"].map { "spiffe://\(domain)/\($0)" }
        }
    static let blocks = [
        "0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "::/0", "fd00::/8", "fd00::1", "::fffe:0:0/95",
    ]
    static let addresses = [
        "9.0.0.1", "10.0.0.1", "10.1.0.1", "10.1.2.3", "2001::1", "fd00::1", "fd00::2", "::ffff:10.1.2.3", "::fffe:1:1",
    ]
    static let ranges = ["1", "1-65535", "80", "80-90", "85-100", "65535"]
    static let ports: [UInt16] = [1, 2, 80, 82, 85, 90, 95, 100, 101, 65_535]
    static let names = ["a.b", "*.b", "*.a.b", "x.a.b", "*.x.a.b", "b"]
    static let serverNames: [String?] = [nil, "a.b", "c.b", "c.a.b", "x.a.b", "y.x.a.b", "b", "c", "A.B."]

    static let requests: [Request] = identities.map { try? SPIFFEID(parsing: $0) }.flatMap(combined) + combined(nil)

    private static func combined(_ identity: SPIFFEID?) -> [Request] {
        addresses.flatMap { address in
            ports.flatMap { port in
                serverNames.map { name in
                    Request(
                        identity: identity, source: IPAddress(parsing: address)!, destinationPort: port,
                        serverName: name)
                }
            }
        }
    }

    static func policy(_ random: inout SplitMix64, rules: Int, mode: EnforcementMode = .enforce) throws -> Policy {
        func some<Value>(
            _ all: [String], _ chance: Double, _ random: inout SplitMix64, _ parse: (String) throws -> Value
        ) rethrows -> [Value] {
            guard Double.random(in: 0..<1, using: &random) < chance else { return [] }
            return try (0..<Int.random(in: 1...2, using: &random)).map { _ in
                try parse(all.randomElement(using: &random)!)
            }
        }
        return Policy(
            name: "p", mode: mode,
            rules: try (0..<rules).map { number in
                let identities = try some(patterns, 0.7, &random) { try IdentityPattern(parsing: $0) }
                return Rule(
                    name: "r\(number)", action: Bool.random(using: &random) ? .allow : .deny, identities: identities,
                    isUnauthenticated: identities.isEmpty && Int.random(in: 0..<4, using: &random) == 0,
                    sources: try some(blocks, 0.5, &random) { try CIDR(parsing: $0) },
                    destinationPorts: try some(ranges, 0.5, &random) { try PortRange(parsing: $0) },
                    serverNames: try some(names, 0.5, &random) { try ServerNamePattern(parsing: $0) })
            })
    }
}

@Suite("All requests there can be")
struct PolicyComparisonTests {
    private func verdict(_ policy: Policy, _ request: Request) -> Verdict {
        let decision = policy.decide(request)
        let effect: Effect =
            decision.outcome == .allowed ? .allow : decision.mode == .audit ? .wouldDeny : .deny
        return Verdict(effect: effect, ruleIndex: decision.ruleIndex)
    }

    @Test("are compared as asking each of a small universe does", arguments: 0..<16)
    func comparison(seed: Int) throws {
        var random = SplitMix64(state: UInt64(seed))
        let before = try Universe.policy(&random, rules: 1 + seed % 6)
        let after = try Universe.policy(&random, rules: 1 + seed % 5, mode: seed % 4 == 0 ? .audit : .enforce)
        var expected: Set<[Verdict]> = []
        for request in Universe.requests {
            let pair = [verdict(before, request), verdict(after, request)]
            if pair[0].effect != pair[1].effect { expected.insert(pair) }
        }
        let found = try PolicyComparison.differences(from: before, to: after)
        #expect(Set(found.map { [$0.before, $0.after] }) == expected)
        // Each example is treated as its class says.
        for difference in found {
            let request = difference.requests.example
            #expect(verdict(before, request) == difference.before, "\(difference.requests.description)")
            #expect(verdict(after, request) == difference.after, "\(difference.requests.description)")
        }
        #expect(try PolicyComparison.differences(from: before, to: before).isEmpty)
        // On a port of one listener, with one name.
        let scope = RequestScope(
            serverNames: [try ServerNamePattern(parsing: "*.b")], destinationPorts: [try PortRange(parsing: "80-85")],
            admitsPlaintext: seed % 2 == 0)
        func isThere(_ request: Request) -> Bool {
            (request.identity != nil || scope.admitsPlaintext) && (80...85).contains(request.destinationPort)
                && request.serverName.map { scope.serverNames[0].matches($0) } ?? false
        }
        var there: Set<[Verdict]> = []
        for request in Universe.requests where isThere(request) {
            let pair = [verdict(before, request), verdict(after, request)]
            if pair[0].effect != pair[1].effect { there.insert(pair) }
        }
        let within = try PolicyComparison.differences(from: before, to: after, within: scope)
        #expect(Set(within.map { [$0.before, $0.after] }) == there)
        for difference in within { #expect(isThere(difference.requests.example)) }
    }

    @Test("show which rules decide none", arguments: 0..<12)
    func idle(seed: Int) throws {
        var random = SplitMix64(state: UInt64(1_000 + seed))
        let policy = try Universe.policy(&random, rules: 3 + seed % 8)
        let deciding = Set(Universe.requests.compactMap { policy.decide($0).ruleIndex })
        #expect(
            try PolicyComparison.idleRules(of: policy.rules) == policy.rules.indices.filter { !deciding.contains($0) })
    }

    @Test("prove a guardrail, or show who passes it", arguments: 0..<8)
    func guardrails(seed: Int) throws {
        var random = SplitMix64(state: UInt64(2_000 + seed))
        let policy = try Universe.policy(&random, rules: 1 + seed % 6, mode: seed % 5 == 0 ? .audit : .enforce)
        let guardrail = try Universe.policy(&random, rules: 1 + seed % 3)
        var expected: Set<Int?> = []
        for request in Universe.requests {
            let decision = policy.decide(request)
            if decision.forwards, guardrail.decide(request).outcome != .allowed { expected.insert(decision.ruleIndex) }
        }
        let found = try PolicyComparison.breaches(of: guardrail.rules, by: policy)
        #expect(Set(found.map(\.ruleIndex)) == expected)
        for breach in found {
            #expect(policy.decide(breach.requests.example).forwards)
            #expect(guardrail.decide(breach.requests.example).outcome != .allowed)
        }
    }

    @Test("are described with what distinguishes them")
    func description() throws {
        func rule(_ action: Action, _ pattern: String, ports: [PortRange] = []) throws -> Rule {
            Rule(
                name: "r", action: action, identities: [try IdentityPattern(parsing: pattern)], destinationPorts: ports)
        }
        let before = Policy(name: "p", rules: [try rule(.allow, "spiffe://example.org/ns/prod/**")])
        let after = Policy(
            name: "p",
            rules: [
                try rule(.allow, "spiffe://example.org/ns/prod/**"),
                try rule(.deny, "spiffe://example.org/ns/prod/sa/ci", ports: [try PortRange(parsing: "8000-8999")]),
            ])
        let found = try PolicyComparison.differences(from: before, to: after)
        try #require(found.count == 1)
        #expect(found[0].before == Verdict(effect: .allow, ruleIndex: 0))
        #expect(found[0].after == Verdict(effect: .deny, ruleIndex: 1))
        let text = found[0].requests.description
        #expect(text.hasPrefix("spiffe://example.org/ns/prod/sa/ci, ports 8000-8999"), "\(text)")
        #expect(found[0].requests.example.destinationPort == 8_000)
    }

    @Test("of policies that nobody wrote by hand have a limit, and those of a large company do not reach it")
    func limit() throws {
        let large = Policy(
            name: "p",
            rules: try (0..<1_000).map { number in
                Rule(
                    name: "r\(number)", action: number % 10 == 0 ? .deny : .allow,
                    identities: [try IdentityPattern(parsing: "spiffe://example.org/ns/n\(number % 50)/sa/s\(number)")],
                    sources: [try CIDR(parsing: "10.\(number % 200).0.0/16")],
                    destinationPorts: [try PortRange(parsing: "\(8_000 + number % 20)")])
            })
        let smaller = Policy(name: "p", rules: large.rules.dropLast())
        #expect(try PolicyComparison.differences(from: large, to: smaller).count == 1)
        #expect(try PolicyComparison.idleRules(of: large.rules).isEmpty)
        #expect(throws: WorkLimitReached.self) {
            try PolicyComparison.differences(from: large, to: smaller, steps: 10_000)
        }
    }

    @Test("are not hidden by patterns that leave no short ID or name over")
    func decoys() throws {
        func rule(_ name: String, _ action: Action, _ patterns: [String], sni: [String] = []) throws -> Rule {
            Rule(
                name: name, action: action, identities: try patterns.map { try IdentityPattern(parsing: $0) },
                serverNames: try sni.map { try ServerNamePattern(parsing: $0) })
        }
        let long = "spiffe://example.org/" + String(repeating: "n", count: 2_020)
        let wide = try rule("wide", .allow, ["spiffe://example.org/*/sa/admin"])
        let decoy = try rule("decoy", .deny, [long, long + "/sa/x"])
        let guardrail = [try rule("own", .allow, ["spiffe://example.org/prod/**"])]
        let breaches = try PolicyComparison.breaches(of: guardrail, by: Policy(name: "p", rules: [decoy, wide]))
        #expect(breaches.map(\.ruleIndex) == [1])
        let letters = "abcdefghijklmnopqrstuvwxyz".map { String($0) }
        let labels = letters + letters.flatMap { one in letters.map { one + $0 } } + (0..<4_096).map { "x\($0)" }
        let names = try rule(
            "names", .deny, ["spiffe://example.org/**"], sni: labels.map { "\($0).internal" })
        let all = try rule("all", .allow, ["spiffe://example.org/**"], sni: ["*.internal"])
        let found = try PolicyComparison.breaches(of: guardrail, by: Policy(name: "p", rules: [names, all]))
        #expect(found.map(\.ruleIndex) == [1])
    }

    @Test("are compared for as many flat rules as a policy may have")
    func manyRules() throws {
        let large = Policy(
            name: "p",
            rules: try (0..<4_096).map { number in
                Rule(
                    name: "r\(number)", action: .allow,
                    identities: [try IdentityPattern(parsing: "spiffe://example.org/ns/n\(number)/sa/s")])
            })
        let smaller = Policy(name: "p", rules: large.rules.dropLast())
        #expect(try PolicyComparison.differences(from: large, to: smaller).count == 1)
    }

    @Test("of patterns that double with each rule are given up at once")
    func doubling() throws {
        let rules = try (0..<24).map { number in
            let segments = (0..<24).map { $0 == number ? "x" : "*" }.joined(separator: "/")
            return Rule(
                name: "r\(number)", action: .allow,
                identities: [try IdentityPattern(parsing: "spiffe://example.org/\(segments)")])
        }
        #expect(throws: WorkLimitReached.self) { try PolicyComparison.idleRules(of: rules) }
    }
}
