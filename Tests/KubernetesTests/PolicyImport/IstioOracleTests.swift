import Kubernetes
import Policy
import PosternTesting
import Settings
import Testing

/// Policies of Istio as texts, from alphabets so small that matches are common.
private struct IstioText {
    struct Source {
        var principals: [String] = []
        var notPrincipals: [String] = []
        var namespaces: [String] = []
        var notNamespaces: [String] = []
        var ipBlocks: [String] = []
        var notIpBlocks: [String] = []

        var isEmpty: Bool {
            (principals + notPrincipals + namespaces + notNamespaces + ipBlocks + notIpBlocks).isEmpty
        }

        init() {}

        init(using generator: inout SeededGenerator) {
            func some(_ values: [String], _ percent: Int) -> [String] {
                generator.chance(percent) ? [generator.pick(values)] + generator.some(values, atMost: 2) : []
            }
            repeat {
                principals = some(IstioText.principals, 40)
                notPrincipals = some(IstioText.principals, 12)
                namespaces = some(IstioText.namespaces, 25)
                notNamespaces = some(IstioText.namespaces, 12)
                ipBlocks = some(PolicyOracle.blocks, 30)
                notIpBlocks = some(PolicyOracle.blocks, 20)
            } while isEmpty
        }

        var fields: [(String, [String])] {
            [
                ("principals", principals), ("notPrincipals", notPrincipals), ("namespaces", namespaces),
                ("notNamespaces", notNamespaces), ("ipBlocks", ipBlocks), ("notIpBlocks", notIpBlocks),
            ]
        }
    }

    struct Operation {
        var ports: [String] = []
        var notPorts: [String] = []

        init() {}

        init(using generator: inout SeededGenerator) {
            if generator.chance(70) {
                ports = [generator.pick(IstioText.ports)] + generator.some(IstioText.ports, atMost: 2)
            }
            if ports.isEmpty || generator.chance(30) { notPorts = [generator.pick(IstioText.ports)] }
        }

        var fields: [(String, [String])] { [("ports", ports), ("notPorts", notPorts)] }
    }

    struct Rule {
        var from: [Source] = []
        var to: [Operation] = []
        var when = Source()
        var whenPorts = Operation()
    }

    struct Policy {
        var isDeny: Bool
        var isRoot: Bool
        var isForOthers: Bool
        var rules: [Rule]
    }

    var policies: [Policy]

    init(using generator: inout SeededGenerator) {
        policies = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
            Policy(
                isDeny: generator.chance(40), isRoot: generator.chance(15), isForOthers: generator.chance(15),
                rules: (0..<Int.random(in: 0...2, using: &generator)).map { _ in
                    var rule = Rule()
                    if generator.chance(80) {
                        rule.from = (0...Int.random(in: 0...1, using: &generator)).map { _ in Source(using: &generator)
                        }
                    }
                    if generator.chance(40) {
                        rule.to = (0...Int.random(in: 0...1, using: &generator)).map { _ in Operation(using: &generator)
                        }
                    }
                    if generator.chance(20) { rule.when = Source(using: &generator) }
                    if generator.chance(10) { rule.whenPorts = Operation(using: &generator) }
                    return rule
                })
        }
    }

    // MARK: As YAML

    var yaml: String {
        policies.enumerated().map { index, policy in
            let selector = policy.isForOthers ? "other" : "httpbin"
            return """
                ---
                apiVersion: security.istio.io/v1
                kind: AuthorizationPolicy
                metadata: {name: p\(index), namespace: \(policy.isRoot ? "istio-system" : "foo")}
                spec:
                  action: \(policy.isDeny ? "DENY" : "ALLOW")
                  selector: {matchLabels: {app: \(selector)}}
                  rules: [\(policy.rules.map(Self.yaml).joined(separator: ", "))]

                """
        }.joined()
    }

    private static func yaml(_ rule: Rule) -> String {
        var parts: [String] = []
        if !rule.from.isEmpty {
            parts.append("from: [" + rule.from.map { "{source: \(yaml($0.fields))}" }.joined(separator: ", ") + "]")
        }
        if !rule.to.isEmpty {
            parts.append("to: [" + rule.to.map { "{operation: \(yaml($0.fields))}" }.joined(separator: ", ") + "]")
        }
        let conditions = [
            ("source.principal", rule.when.principals, rule.when.notPrincipals),
            ("source.namespace", rule.when.namespaces, rule.when.notNamespaces),
            ("source.ip", rule.when.ipBlocks, rule.when.notIpBlocks),
            ("destination.port", rule.whenPorts.ports, rule.whenPorts.notPorts),
        ].filter { !$0.1.isEmpty || !$0.2.isEmpty }
        if !conditions.isEmpty {
            parts.append(
                "when: ["
                    + conditions.map { key, values, notValues in
                        yaml([("values", values), ("notValues", notValues)]).replacing("{", with: "{key: \(key), ")
                    }.joined(separator: ", ") + "]")
        }
        return "{" + parts.joined(separator: ", ") + "}"
    }

    private static func yaml(_ fields: [(String, [String])]) -> String {
        "{"
            + fields.filter { !$0.1.isEmpty }.map { "\($0.0): \(PolicyOracle.yaml($0.1))" }.joined(separator: ", ")
            + "}"
    }

    // MARK: As the reference says

    struct Request {
        /// `cluster.local/ns/foo/sa/a`, as Istio has it.
        var principal: String
        var source: String
        var port: UInt16
    }

    func allows(_ request: Request) -> Bool {
        let policies = policies.filter { !$0.isForOthers }
        func matches(_ policy: Policy) -> Bool { policy.rules.contains { Self.matches($0, request) } }
        if policies.contains(where: { $0.isDeny && matches($0) }) { return false }
        let allows = policies.filter { !$0.isDeny }
        return allows.isEmpty || allows.contains(where: matches)
    }

    private static func matches(_ rule: Rule, _ request: Request) -> Bool {
        (rule.from.isEmpty || rule.from.contains { matches($0, request) })
            && (rule.to.isEmpty || rule.to.contains { matches($0, request) })
            && matches(rule.when, request) && matches(rule.whenPorts, request)
    }

    private static func matches(_ source: Source, _ request: Request) -> Bool {
        let parts = request.principal.split(separator: "/").map(String.init)
        let namespace = parts.count == 5 ? parts[2] : ""
        func holds(_ values: [String], _ notValues: [String], _ test: (String) -> Bool) -> Bool {
            (values.isEmpty || values.contains(where: test)) && !notValues.contains(where: test)
        }
        return holds(source.principals, source.notPrincipals) { matches($0, request.principal) }
            && holds(source.namespaces, source.notNamespaces) { matches($0, namespace) }
            && holds(source.ipBlocks, source.notIpBlocks) { PolicyOracle.contains($0, request.source) }
    }

    private static func matches(_ operation: Operation, _ request: Request) -> Bool {
        (operation.ports.isEmpty || operation.ports.contains("\(request.port)"))
            && !operation.notPorts.contains("\(request.port)")
    }

    /// Exact, prefix, suffix and presence match.
    private static func matches(_ pattern: String, _ text: String) -> Bool {
        if pattern == "*" { return !text.isEmpty }
        if pattern.hasPrefix("*") { return text.hasSuffix(pattern.dropFirst()) }
        if pattern.hasSuffix("*") { return text.hasPrefix(pattern.dropLast()) }
        return pattern == text
    }

    static let principals = [
        "cluster.local/ns/foo/sa/x", "cluster.local/ns/foo/*", "*/sa/x", "*", "*/ns/bar/sa/y",
        "partner.test/ns/foo/sa/x",
        "cluster.local/*", "cluster.local/ns/bar/sa/*", "cluster.local/ns/bar/sa/x", "cluster.local/ns/dev/sa/y",
    ]
    static let namespaces = ["foo", "bar", "dev", "*"]
    static let ports = ["80", "81", "443", "1", "65535"]
}

@Suite("An imported policy of Istio's")
struct IstioOracleTests {
    @Test("decides as a slow, obvious reading of the source does, and never allows more", arguments: 0..<2)
    func agreesWithOracle(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var (imports, allowed, refused) = (0, 0, 0)
        for _ in 0..<120 {
            let text = IstioText(using: &generator)
            let port = generator.chance(50) ? generator.pick(PolicyOracle.ports) : nil
            let imported: ImportedPolicy
            do {
                imported = try Importing(port: port, foreign: ["partner.test"])(text.yaml)
            } catch let refusal as PolicyImportRefusal {
                let known = ["excludes", "exclusions", "no policy of Istio"]
                #expect(refusal.flaws.allSatisfy { flaw in known.contains { flaw.message.contains($0) } }, "\(refusal)")
                continue
            }
            imports += 1
            if imports % 10 == 0 { #expect(try imported.reread() == imported.policy) }
            for _ in 0..<40 {
                let domain = generator.pick(PolicyOracle.domains)
                let path = generator.pick([
                    "ns/foo/sa/x", "ns/foo/sa/y", "ns/bar/sa/x", "ns/bar/sa/y", "ns/dev/sa/x", "ns/dev/sa/y", "other/x",
                    "ns/foo/sa/x/more",
                ])
                let source = generator.pick(PolicyOracle.sources)
                let meshDomain = domain == "example.org" ? "cluster.local" : domain
                let request = IstioText.Request(
                    principal: "\(meshDomain)/\(path)", source: source, port: port ?? generator.pick(PolicyOracle.ports)
                )
                let expected = text.allows(request)
                // The port that a client connects to is the proxy's own.
                let isAllowed = try imported.allows(
                    "spiffe://\(domain)/\(path)", from: source, to: port == nil ? request.port : 15443)
                #expect(!isAllowed || expected, "wider, seed \(seed): \(request)\n\(text.yaml)\n\(imported.text)")
                guard domain == "example.org", path.split(separator: "/").count == 4, path.hasPrefix("ns") else {
                    continue
                }
                #expect(isAllowed == expected, "seed \(seed): \(request)\n\(text.yaml)\n\(imported.text)")
                if expected { allowed += 1 } else { refused += 1 }
            }
        }
        #expect(imports > 60 && allowed > 300 && refused > 300, "\(imports) \(allowed) \(refused)")
    }
}
