import KubernetesAPI
import Policy
import Settings

/// A policy whose rules the proxy accepts. `init` finds every flaw. Pure.
struct CheckedPolicy: Hashable {
    let name: String
    let selector: LabelSelector
    /// Nil: of each listener.
    let listener: String?
    /// Nil: each inbound route.
    let route: String?
    let mode: EnforcementMode
    /// Each with its action; their names begin with that of the policy.
    let rules: [CompiledRule]
    /// What the proxy would warn of.
    let warnings: [PolicyProblem]
    /// Whether it lets nobody in, because it was never accepted.
    let isClosed: Bool

    init(name: String, spec: JSONValue?) throws(PolicyProblems) {
        guard (spec?.bytes ?? 0) <= Self.specBytesAtMost else {
            let limit = "\(Self.specBytesAtMost >> 10) KiB"
            throw PolicyProblems(list: [PolicyProblem("spec", "larger than \(limit): write several policies")])
        }
        var problems: [PolicyProblem] = []
        if name.utf8.count > Self.nameBytesAtMost {
            problems.append(
                PolicyProblem("metadata.name", "longer than \(Self.nameBytesAtMost) characters, with which rules begin")
            )
        }
        var selector: LabelSelector?
        do throws(PolicyProblem) {
            selector = try LabelSelector(parsing: spec?["selector"])
        } catch {
            problems.append(error)
        }
        let target = spec?["target"]?.members ?? [:]
        for key in target.keys.sorted() where key != "listener" && key != "route" || target[key]?.text == nil {
            problems.append(PolicyProblem("spec.target.\(key)", "expected the text `listener` or `route`, or both"))
        }
        let reading = Self.read(spec, name)
        problems += reading.problems
        for (index, rule) in (spec?["rules"]?.list ?? []).enumerated()
        where (rule["name"]?.text ?? "").utf8.count > Self.nameBytesAtMost {
            problems.append(
                PolicyProblem("spec.rules[\(index)].name", "longer than \(Self.nameBytesAtMost) characters"))
        }
        guard problems.isEmpty, let selector, let policy = reading.policy else {
            throw PolicyProblems(list: problems)
        }
        isClosed = false
        self.name = name
        self.selector = selector
        listener = target["listener"]?.text
        route = target["route"]?.text
        mode = policy.mode
        warnings = reading.warnings
        let trees = (spec?["rules"]?.list ?? []).map { YAMLTree($0, order: Self.order) }
        rules = zip(trees, policy.rules).map { tree, rule in
            var tree = tree
            tree["name"] = .text("\(name)/\(rule.name)")
            return CompiledRule(action: rule.action, isOfPlaintext: rule.isUnauthenticated, tree: tree)
        }
    }

    /// Lets nobody in where a flawed policy is for, as far as that can be read. Nil for one that is only to be audited.
    init?(closing name: String, spec: JSONValue?) {
        guard spec?["mode"]?.text != EnforcementMode.audit.rawValue else { return nil }
        self.name = name
        selector = (try? LabelSelector(parsing: spec?["selector"])) ?? .all
        let target = spec?["target"]
        listener = target?["listener"]?.text
        route = target?["route"]?.text
        mode = .enforce
        rules = []
        warnings = []
        isClosed = true
    }

    func targets(listener: String, route: String) -> Bool {
        (self.listener ?? listener) == listener && (self.route ?? route) == route
    }

    /// Has the reader of settings files judge the rules, and says what it says in terms of the object.
    private static func read(
        _ spec: JSONValue?, _ name: String
    ) -> (policy: Policy?, problems: [PolicyProblem], warnings: [PolicyProblem]) {
        var members = spec?.members ?? [:]
        members["selector"] = nil
        members["target"] = nil
        // The smallest file that uses the policy.
        let route: JSONValue = ["name": "a", "upstream": ["builtin": "echo"], "policy": .text(name)]
        let listener: JSONValue = ["name": "a", "mode": "inbound", "bind": "127.0.0.1:1", "routes": [route]]
        let settings: JSONValue = ["listeners": [listener], "policies": [name: .object(members)]]
        var writer = YAMLWriter()
        writer.write(YAMLTree(settings, order: order))
        let outcome = Settings.parse(
            text: Array(writer.text.utf8), file: "", endpointSocket: "unix:///run/agent.sock")
        let prefix = "policies.\(name)"
        var (problems, warnings): ([PolicyProblem], [PolicyProblem]) = ([], [])
        for flaw in outcome.flaws {
            let path = writer.path(at: flaw.position)
            let place = path.hasPrefix(prefix) ? "spec" + path.dropFirst(prefix.count) : "spec"
            let message = writer.withPaths(flaw.message).replacing("\(prefix).", with: "spec.")
                .replacing("(known here: mode, rules)", with: "(known here: mode, rules, selector, target)")
            if flaw.severity == .error {
                problems.append(PolicyProblem(place, message))
            } else if place.hasPrefix("spec.rules[") {
                // Others are of a file's policy as a whole, which this is not.
                warnings.append(PolicyProblem(place, message))
            }
        }
        return (outcome.settings?.policies.first, problems, warnings)
    }

    private static let nameBytesAtMost = 63
    /// Twice as much fits into an object: the version that was accepted last is in its status.
    private static let specBytesAtMost = 256 << 10
    static let order = [
        "mode", "rules", "name", "action", "identities", "unauthenticated", "sources", "destinationPorts", "sni",
    ]
}

/// A rule for the settings file.
struct CompiledRule: Hashable {
    let action: Action
    /// Of clients without identity.
    let isOfPlaintext: Bool
    let tree: YAMLTree
}

struct PolicyProblems: Error, Hashable {
    let list: [PolicyProblem]
}
