import Identity
import Policy

/// Decides about a peer that the last rule allows; rules alternate between a whole ID and a pattern.
final class PolicyDecisions: Workload {
    private let policy: Policy
    private let request: Request

    init(rules: Int) throws {
        let rules = try (1...rules).map { number in
            let end = number.isMultiple(of: 2) ? "sa-\(number)" : "*"
            let pattern = try IdentityPattern(parsing: "spiffe://bench.test/ns/default/\(number)/\(end)")
            return Rule(
                name: "rule-\(number)", action: .allow, identities: [pattern], sources: [], destinationPorts: [],
                serverNames: [])
        }
        policy = Policy(name: "callers", rules: rules)
        request = Request(
            identity: try SPIFFEID(parsing: "spiffe://bench.test/ns/default/\(rules.count)/sa-\(rules.count)"),
            source: .v4(0x0A01_0203), destinationPort: 443, serverName: nil)
    }

    func run(_ operations: Int) throws {
        for _ in 0..<operations {
            guard policy.decide(request).ruleIndex == policy.rules.count - 1 else {
                throw MicroBenchFault.wrongAnswer("the last rule did not decide")
            }
        }
    }
}

/// Parses a workload's SPIFFE ID from certificate bytes.
final class SPIFFEIDParsing: Workload {
    private let bytes = Array("spiffe://example.org/ns/default/sa/checkout".utf8)

    func run(_ operations: Int) throws {
        let bytes = bytes
        for _ in 0..<operations {
            guard try SPIFFEID(parsing: bytes.span).hasPath else { throw MicroBenchFault.wrongAnswer("no path") }
        }
    }
}
