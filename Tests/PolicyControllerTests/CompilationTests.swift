import KubernetesAPI
import PosternTesting
import Settings
import Testing

@testable import PolicyController

@Suite("Settings composed of a namespace's own and policies")
struct CompilationTests {
    private static let all: JSONValue = [:]
    private static let orders: JSONValue = ["matchLabels": ["app": "orders"]]

    @Test(
        "deny wins, allow rules of policies take the place of the settings' own, and a policy opens only what it selects",
        arguments: [
            ([], "shop/sa/cart", "shop/sa/cart"),
            ([spec([("allow", "other/**")])], "other/sa/a", "other/sa/a"),
            // Of one route.
            ([spec([("allow", "other/**")], target: ["route": "orders"])], "other/sa/a", "shop/sa/cart"),
            (
                [spec([("allow", "other/**")], target: ["listener": "inbound", "route": "rest"])], "shop/sa/cart",
                "other/sa/a"
            ),
            ([spec([("allow", "other/**")], target: ["listener": "elsewhere"])], "shop/sa/cart", "shop/sa/cart"),
            // The settings' own deny rule stays.
            ([spec([("allow", "shop/**")])], "shop/sa/cart", "shop/sa/cart"),
            // Two add up, and a deny rule of either counts.
            (
                [spec([("allow", "other/**")]), spec([("allow", "shop/**")])], "shop/sa/cart other/sa/a",
                "shop/sa/cart other/sa/a"
            ),
            ([spec([("allow", "other/**")]), spec([("deny", "other/**")])], "", ""),
            ([spec([("deny", "shop/**")])], "", ""),
            // It selects one of two pods: its allow rules do not count, its deny rules do, and it opens nothing.
            ([spec([("allow", "other/**")], selector: ["matchLabels": ["canary": "yes"]])], "", ""),
            ([spec([("deny", "shop/sa/cart")], selector: ["matchLabels": ["canary": "yes"]])], "", ""),
            (
                [spec([("allow", "other/**")], selector: ["matchLabels": ["app": "cart"]])], "shop/sa/cart",
                "shop/sa/cart"
            ),
            // What is only audited must not open what is closed.
            ([spec([("allow", "other/**")], mode: "audit")], "shop/sa/cart", "shop/sa/cart"),
            (
                [spec([("deny", "shop/sa/cart")], mode: "audit"), spec([("allow", "other/**")])], "other/sa/a",
                "other/sa/a"
            ),
        ] as [([JSONValue], String, String)])
    func semantics(_ specs: [JSONValue], _ orders: String, _ rest: String) throws {
        let compilation = try Self.compile(specs)
        #expect(compilation.problem == nil)
        #expect(try Base.lets(compilation.text) == orders)
        #expect(try Base.lets(compilation.text, route: "rest") == rest)
    }

    @Test("in audit mode it logs, where the settings' own policy lets everyone in")
    func audit() throws {
        let open = Base.text.replacing("spiffe://example.org/ns/shop/**", with: "spiffe://*/**")
            .split(separator: "\n").filter { !$0.contains("no-legacy") }.joined(separator: "\n")
        let compilation = try Self.compile([spec([("allow", "other/**")], mode: "audit")], base: open)
        #expect(try Base.lets(compilation.text).contains("shop/sa/cart"))
        #expect(compilation.text?.contains("mode: audit") == true)
    }

    @Test("a policy that was never accepted lets nobody in where it is for, not even clients of plaintext")
    func closed() throws {
        let plaintext = Base.text.replacing(
            "policies:\n  own:\n    rules:\n",
            with:
                "policies:\n  own:\n    rules:\n      - {name: p, action: allow, unauthenticated: true, sources: [\"10.0.0.0/8\"]}\n"
        )
        #expect(try Base.lets(plaintext) == "shop/sa/cart nobody")
        var flawed = spec([("allow", "**/x")], target: ["route": "orders"])
        let closed = try Self.compile([spec([("allow", "shop/**")])], base: plaintext, closed: flawed)
        #expect(try Base.lets(closed.text) == "" && Base.lets(closed.text, route: "rest") == "shop/sa/cart")
        #expect(closed.remarks["p0"]?.contains("is not accepted") == true)
        // What cannot be read is everything.
        flawed["target"] = ["route": 5]
        flawed["selector"] = ["matchLabel": [:]]
        let all = try Self.compile([], base: plaintext, closed: flawed)
        #expect(try Base.lets(all.text) == "" && Base.lets(all.text, route: "rest") == "")
        flawed["mode"] = "audit"
        #expect(CheckedPolicy(closing: "x", spec: flawed) == nil)
    }

    @Test("the rest of the settings stays as it was, and all of the text without a policy")
    func rest() throws {
        let same = try Self.compile([])
        #expect(same.text?.hasSuffix("\n" + Base.text) == true)
        let text = try #require(Self.compile([spec([("allow", "other/**")])]).text)
        for part in ["admin:", "bind: \"0.0.0.0:15000\"", "name: outbound", "\"inbound/orders\":", "p0/r0"] {
            #expect(text.contains(part), "\(part) is not in \(text)")
        }
        #expect(!text.contains("own:"), "a policy that no route names would be warned of at each reload")
    }

    @Test(
        "settings that cannot be composed are no settings, with the reason",
        arguments: [
            (nil, "there is no ConfigMap `postern-settings`"), ("", "is refused"), ("listeners: [", "is refused"),
            ("listeners: 5", "is refused: /etc/postern/postern.yaml:1:12"), ("a: !x {}", "is refused"),
        ] as [(String?, String)])
    func flawedBase(_ base: String?, _ reason: String) throws {
        let compilation = try Self.compile([spec([("allow", "other/**")])], base: base)
        #expect(compilation.text == nil && compilation.problem?.contains(reason) == true, "\(compilation)")
    }

    @Test("text of a policy is text of the settings, whatever is in it")
    func hostileText() throws {
        for name in [
            "a: b", "x\n  - y", "\"", "'", "#", "*a", "&a", "{", "\u{85}\u{2028}", "\u{0}", "- ", "\\", "!!map",
        ] {
            var hostile = spec([("allow", "other/**")])
            hostile["rules"] = [
                ["name": .text(name), "action": "allow", "identities": ["spiffe://example.org/ns/other/**"]]
            ]
            guard let checked = try? CheckedPolicy(name: "p0", spec: hostile) else { continue }
            let compilation = Compilation(
                base: Self.map(Base.text), baseName: "postern-settings", policies: Self.selected([checked]))
            #expect(try Base.lets(compilation.text) == "other/sa/a", "\(name)")
        }
        for key in ["identities: [\"spiffe://*/**\"]\n        x", "listeners", "name "] {
            var hostile = spec([("allow", "other/**")])
            hostile["rules"] = [["name": "a", "action": "allow", "identities": ["spiffe://*/**"], "x": "y"]]
            hostile[key] = []
            #expect(throws: PolicyProblems.self) { try CheckedPolicy(name: "p", spec: hostile) }
        }
    }

    @Test("together larger than the proxy reads: the workload keeps what it has")
    func large() throws {
        let path = String(repeating: "x", count: 1_900)
        let identities = (0..<120).map { JSONValue.text("spiffe://example.org/ns/a/sa/\($0)" + path) }
        let large: JSONValue = [
            "selector": [:], "rules": [["name": "a", "action": "allow", "identities": .list(identities)]],
        ]
        let compilation = try Self.compile([large, large, large, large, large])
        #expect(
            compilation.text == nil && compilation.problem?.contains("larger than 1024 KiB") == true,
            "\(compilation.problem ?? "")")
    }

    @Test("it decides as the rules of composition do, whatever the policies", arguments: 0..<60)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let patterns = ["shop/**", "other/**", "shop/sa/cart", "*/sa/a"]
        var drawn: [Drawn] = []
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            drawn.append(
                Drawn(
                    selects: [.everyPod, .canary, .nothing].randomElement(using: &random) ?? .everyPod,
                    route: ["orders", "rest", nil].randomElement(using: &random) ?? nil,
                    mode: Int.random(in: 0..<4, using: &random) == 0 ? "audit" : "enforce",
                    isClosed: Int.random(in: 0..<8, using: &random) == 0,
                    rules: (0..<Int.random(in: 1...3, using: &random)).map { _ in
                        (Bool.random(using: &random) ? "allow" : "deny", patterns.randomElement(using: &random) ?? "")
                    }))
        }
        let policies = try drawn.enumerated().compactMap { index, policy in
            let spec = policy.spec
            return policy.isClosed
                ? CheckedPolicy(closing: "p\(index)", spec: spec) : try CheckedPolicy(name: "p\(index)", spec: spec)
        }
        let compilation = Compilation(
            base: Self.map(Base.text), baseName: "postern-settings", policies: Self.selected(policies))
        for route in ["orders", "rest"] {
            let expected = Base.callers.filter { Drawn.lets($0, route, drawn) }.joined(separator: " ")
            #expect(try Base.lets(compilation.text, route: route) == expected, "\(drawn)\n\(compilation.text ?? "")")
        }
    }

    /// A policy of a random test, and what the page on policy resources says of it.
    private struct Drawn {
        enum Selection { case everyPod, canary, nothing }

        let selects: Selection
        let route: String?
        let mode: String
        let isClosed: Bool
        let rules: [(action: String, pattern: String)]

        var spec: JSONValue {
            let selector: JSONValue =
                switch selects {
                case .everyPod: ["matchLabels": ["app": "orders"]]
                case .canary: ["matchLabels": ["canary": "yes"]]
                case .nothing: ["matchLabels": ["app": "cart"]]
                }
            return PolicyControllerTests.spec(
                rules.map { ($0.action, $0.pattern) }, selector: selector,
                target: route.map { ["route": .text($0)] }, mode: mode)
        }

        func matches(_ caller: String, _ action: String) -> Bool {
            rules.contains { rule in
                guard rule.action == action else { return false }
                if rule.pattern == "*/sa/a" { return caller.hasSuffix("/sa/a") }
                return rule.pattern.hasSuffix("**")
                    ? caller.hasPrefix(rule.pattern.dropLast(2)) : caller == rule.pattern
            }
        }

        static func lets(_ caller: String, _ route: String, _ policies: [Drawn]) -> Bool {
            let matching = policies.filter {
                $0.selects != .nothing && ($0.route ?? route) == route && $0.mode == "enforce"
            }
            if matching.contains(where: \.isClosed) { return false }
            if caller == "shop/sa/legacy" || matching.contains(where: { $0.matches(caller, "deny") }) { return false }
            if matching.contains(where: { $0.rules.contains { $0.action == "allow" } }) {
                return matching.contains { $0.selects == .everyPod && $0.matches(caller, "allow") }
            }
            return caller.hasPrefix("shop/")
        }
    }

    /// Of two pods of the workload `orders`, the second of which is a canary.
    private static func compile(
        _ specs: [JSONValue], base: String? = Base.text, closed: JSONValue? = nil
    ) throws -> Compilation {
        var policies = try specs.enumerated().map { try CheckedPolicy(name: "p\($0)", spec: $1) }
        if let closed { policies.append(try #require(CheckedPolicy(closing: "flawed", spec: closed))) }
        return Compilation(base: base.map(map), baseName: "postern-settings", policies: selected(policies))
    }

    private static func selected(_ policies: [CheckedPolicy]) -> [SelectedPolicy] {
        var pods = [ObjectMetadata(name: "a"), ObjectMetadata(name: "b")]
        pods[0].labels = ["app": "orders"]
        pods[1].labels = ["app": "orders", "canary": "yes"]
        return policies.compactMap { SelectedPolicy($0, digest: 0, pods: pods) }
    }

    private static func map(_ text: String) -> SettingsMap {
        SettingsMap(metadata: ObjectMetadata(), data: ["postern.yaml": text])
    }
}
