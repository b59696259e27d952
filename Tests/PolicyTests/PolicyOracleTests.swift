import Identity
import Policy
import PosternTesting
import Testing

@Suite("A policy's decision")
struct PolicyOracleTests {
    @Test("agrees with a slow, obvious reading of the rules", arguments: 0..<16)
    func agreesWithOracle(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var outcomes: [Decision.Outcome: Int] = [:]
        for _ in 0..<250 {
            let texts = (0..<Int.random(in: 0...8, using: &generator)).map { _ in RuleText(using: &generator) }
            let mode = generator.pick([EnforcementMode.enforce, .audit])
            let policy = Policy(name: "p", mode: mode, rules: try texts.map { try $0.rule(named: "r") })
            for _ in 0..<12 {
                let text = RequestText(using: &generator)
                let decision = policy.decide(try text.request)
                let expected = Self.oracle(texts, text)
                #expect(decision.outcome == expected.outcome, "seed \(seed): \(texts) \(text)")
                #expect(decision.ruleIndex == expected.index, "seed \(seed): \(texts) \(text)")
                let isAudited = mode == .audit && text.identity != nil
                #expect(decision.forwards == (expected.outcome == .allowed || isAudited))
                outcomes[decision.outcome, default: 0] += 1
            }
        }
        #expect(outcomes.values.allSatisfy { $0 > 200 } && outcomes.count == 3, "\(outcomes)")
    }

    /// DESIGN's order of rules, by splitting strings.
    static func oracle(_ rules: [RuleText], _ request: RequestText) -> (outcome: Decision.Outcome, index: Int?) {
        let matching = rules.indices.filter { matches(rules[$0], request) }
        if let deny = matching.first(where: { rules[$0].isDeny }) { return (.denied, deny) }
        if let allow = matching.first { return (.allowed, allow) }
        return (.noMatch, nil)
    }

    static func matches(_ rule: RuleText, _ request: RequestText) -> Bool {
        identityHolds(rule, request)
            && (rule.sources.isEmpty || rule.sources.contains { bits(request.source).hasPrefix(bits($0)) })
            && (rule.ports.isEmpty || rule.ports.contains { ports($0).contains(Int(request.port)) })
            && (rule.names.isEmpty
                || rule.names.contains { nameMatches(parts($0, "."), parts(request.name ?? "", ".")) })
    }

    static func identityHolds(_ rule: RuleText, _ request: RequestText) -> Bool {
        guard let identity = request.identity else { return rule.isUnauthenticated || rule.identities.isEmpty }
        guard !rule.isUnauthenticated else { return false }
        return rule.identities.isEmpty
            || rule.identities.contains { identityMatches(parts($0, "/"), parts(identity, "/")) }
    }

    static func parts(_ text: String, _ separator: Character) -> [String] {
        text.lowercased().split(separator: separator).map(String.init)
    }

    static func identityMatches(_ pattern: [String], _ identity: [String]) -> Bool {
        if pattern.last == "**" {
            let fixed = pattern.count - 1
            return identity.count > fixed
                && identityMatches(Array(pattern.prefix(fixed)), Array(identity.prefix(fixed)))
        }
        return pattern.count == identity.count && zip(pattern, identity).allSatisfy { $0 == "*" || $0 == $1 }
    }

    static func nameMatches(_ pattern: [String], _ name: [String]) -> Bool {
        guard pattern[0] == "*" else { return pattern == name }
        return name.count >= pattern.count && Array(name.suffix(pattern.count - 1)) == Array(pattern.dropFirst())
    }

    static func ports(_ text: String) -> ClosedRange<Int> {
        let numbers = text.split(separator: "-").compactMap { Int($0) }
        return numbers[0]...numbers[numbers.count - 1]
    }

    /// The bits of an address, or of a block's prefix, written out behind the name of the family.
    static func bits(_ text: String) -> String {
        let parts = text.split(separator: "/").map(String.init)
        let isMapped = text.hasPrefix("::ffff:")
        let (family, all) =
            switch IPAddress(parsing: parts[0]) {
            case .v4(let address): ("v4:", binary(UInt64(address), 32))
            case .v6(let high, let low): ("v6:", binary(high, 64) + binary(low, 64))
            case nil: preconditionFailure("the alphabet holds addresses")
            }
        guard parts.count == 2, let length = Int(parts[1]) else { return family + all }
        return family + all.prefix(isMapped ? length - 96 : length)
    }

    static func binary(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value, radix: 2)
        return String(repeating: "0", count: width - digits.count) + digits
    }
}
