import KubernetesAPI
import Testing

@testable import PolicyController

@Suite("A policy's spec")
struct CheckedPolicyTests {
    @Test(
        "what is wrong is said with its place in the object",
        arguments: [
            ([:], ["spec.selector: a selector is needed", "spec: the key `rules` is missing"]),
            (["selector": [:], "rules": []], ["spec.rules: "]),
            (["selector": [:], "rules": [["name": "a", "action": "allow"]]], ["spec.rules[0]: "]),
            (
                ["selector": [:], "rules": [["name": "a", "action": "permit", "identities": ["spiffe://a/**"]]]],
                ["spec.rules[0].action: "]
            ),
            (
                [
                    "selector": [:],
                    "rules": [["name": "a", "action": "deny", "identities": ["spiffe://a/b", "spiffe://a/**/b"]]],
                ],
                ["spec.rules[0].identities[1]: "]
            ),
            (
                [
                    "selector": [:], "rules": [["name": "a", "action": "deny", "sources": ["10.0.0.0/33"]]],
                    "mode": "off",
                ],
                ["spec.mode: ", "spec.rules[0].sources[0]: "]
            ),
            (
                [
                    "selector": [:], "rule": [],
                    "rules": [["name": "a", "action": "deny", "destinationPorts": [80, "x", 70_000]]],
                ],
                ["spec.rules[0].destinationPorts[1]: ", "spec.rules[0].destinationPorts[2]: ", "spec.rule: "]
            ),
            (
                [
                    "selector": ["matchExpressions": [["key": "a", "operator": "In"]]],
                    "rules": [["name": "a", "action": "deny", "sni": ["a.b"]]],
                ],
                ["spec.selector.matchExpressions[0]: In needs values"]
            ),
            (
                ["selector": ["labels": [:]], "rules": [["name": "a", "action": "deny", "sni": ["a.b"]]]],
                ["spec.selector.labels: "]
            ),
            (
                [
                    "selector": [:], "target": ["listener": 5, "port": 80],
                    "rules": [["name": "a", "action": "deny", "sni": ["a.b"]]],
                ],
                ["spec.target.listener: ", "spec.target.port: "]
            ),
            (
                [
                    "selector": [:],
                    "rules": [
                        ["name": "a", "action": "deny", "sni": ["a.b"]],
                        ["name": "a", "action": "deny", "sni": ["c.d"]],
                    ],
                ],
                ["spec.rules[1].name: "]
            ),
            (["selector": [:], "rules": "all"], ["spec.rules: "]),
            (["selector": [:], "rules": [5]], ["spec.rules[0]: "]),
        ] as [(JSONValue, [String])])
    func flaws(_ spec: JSONValue, _ expected: [String]) {
        let found = Self.problems(spec)
        #expect(found.count == expected.count, "\(found)")
        for (problem, start) in zip(found, expected) { #expect(problem.hasPrefix(start), "\(problem)") }
    }

    @Test("names, and the size of the whole, are limited")
    func limits() {
        #expect(Self.problems(spec([("allow", "a/**")]), name: String(repeating: "a", count: 64)).count == 1)
        var long = spec([("allow", "a/**")])
        long["rules"] = [["name": .text(String(repeating: "a", count: 64)), "action": "deny", "sni": ["a.b"]]]
        #expect(Self.problems(long).contains { $0.hasPrefix("spec.rules[0].name: ") })
        let many = JSONValue.list(
            (0..<4_000).map { .text("spiffe://example.org/ns/a/" + String(repeating: "x", count: 60) + "/\($0)") })
        let large: JSONValue = ["selector": [:], "rules": [["name": "a", "action": "allow", "identities": many]]]
        #expect(Self.problems(large) == ["spec: larger than 256 KiB: write several policies"])
    }

    @Test("what the proxy would warn of is a warning, with its place")
    func warnings() throws {
        let checked = try CheckedPolicy(name: "p", spec: spec([("deny", "a/**"), ("deny", "a/b")]))
        #expect(checked.warnings.map(\.path) == ["spec.rules[1]"])
        #expect(checked.warnings[0].message.contains("`r0` at spec.rules[0]"), "\(checked.warnings)")
    }

    @Test(
        "labels are selected as Kubernetes does",
        arguments: [
            ([:], true), (["matchLabels": ["app": "a"]], true), (["matchLabels": ["app": "b"]], false),
            (["matchLabels": ["app": "a", "x": "y"]], false),
            (["matchExpressions": [["key": "app", "operator": "In", "values": ["b", "a"]]]], true),
            (["matchExpressions": [["key": "app", "operator": "NotIn", "values": ["a"]]]], false),
            (["matchExpressions": [["key": "x", "operator": "NotIn", "values": ["a"]]]], true),
            (["matchExpressions": [["key": "app", "operator": "Exists"]]], true),
            (["matchExpressions": [["key": "app", "operator": "DoesNotExist"]]], false),
            (["matchLabels": ["app": "a"], "matchExpressions": [["key": "x", "operator": "Exists"]]], false),
        ] as [(JSONValue, Bool)])
    func selectors(_ selector: JSONValue, _ matches: Bool) throws {
        var pod = ObjectMetadata(name: "a")
        pod.labels = ["app": "a"]
        #expect(try LabelSelector(parsing: selector).matches(pod) == matches)
    }

    private static func problems(_ spec: JSONValue, name: String = "p") -> [String] {
        do throws(PolicyProblems) {
            _ = try CheckedPolicy(name: name, spec: spec)
            return []
        } catch {
            return error.list.map { "\($0)" }
        }
    }
}
