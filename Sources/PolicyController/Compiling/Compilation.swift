import KubernetesAPI
import Policy
import Settings

/// A policy that selects a pod of a workload.
struct SelectedPolicy {
    let policy: CheckedPolicy
    /// Of the policy.
    let digest: Int
    let selectsAll: Bool

    /// - Parameter pods: of the workload. Nil if it selects none of them.
    init?(_ policy: CheckedPolicy, digest: Int, pods: [ObjectMetadata]) {
        let count = pods.count { policy.selector.matches($0) }
        guard count > 0 else { return nil }
        self.policy = policy
        self.digest = digest
        selectsAll = count == pods.count
    }

    var allows: Bool { policy.rules.contains { $0.action == .allow } }
}

/// The settings of one workload: the namespace's own, with the policies that select its pods. Pure.
///
/// For each inbound route that a policy is for:
/// - deny rules count, those of the namespace's settings and those of every policy that selects a pod of the workload;
/// - allow rules of policies count if the policy selects all of the workload's pods;
/// - allow rules of the namespace's settings count as long as no policy with an allow rule is for the route.
///
/// Routes that no policy is for stay as they are. So a matching deny rule always wins, and a policy opens nothing for
/// pods that it does not select. Where a policy is for that was never accepted, nobody is let in.
struct Compilation {
    /// The settings file; nil where there is none that the proxy would accept: the workload then keeps what it has.
    private(set) var text: String?
    /// Why not.
    private(set) var problem: String?
    /// Of policies that have no effect, or not the whole effect, on this workload: by name.
    private(set) var remarks: [String: String] = [:]

    private let policies: [SelectedPolicy]

    /// - Parameter base: the settings of the namespace; nil where there are none.
    init(base: SettingsMap?, baseName: String, policies: [SelectedPolicy]) {
        self.policies = policies.sorted { $0.policy.name < $1.policy.name }
        guard let base, let settings = base.settings else {
            problem =
                base == nil
                ? "there is no ConfigMap \(quoted(baseName)) in the namespace"
                : "the ConfigMap \(quoted(baseName)) has no key \(quoted(SettingsMap.key))"
            return
        }
        compile(Array(settings.utf8), baseName)
    }

    private mutating func compile(_ bytes: [UInt8], _ baseName: String) {
        let outcome = Self.parse(bytes)
        guard let model = outcome.settings else {
            problem = "the ConfigMap \(quoted(baseName)) is refused: \(Self.firstError(outcome.flaws))"
            return
        }
        var tree: YAMLTree
        do throws(SettingsFlaw) {
            tree = try YAMLTree(parsing: bytes)
        } catch {
            problem = "the ConfigMap \(quoted(baseName)) is refused: \(error)"
            return
        }
        var writer = YAMLWriter(bytesAtMost: Settings.bytesAtMost)
        writer.comment("Written by postern-controller from the ConfigMap \(baseName) and PosternPolicies.")
        for selected in policies where !selected.selectsAll {
            remarks[selected.policy.name] =
                "it selects only some of the pods that share these settings, so that its allow rules do not count"
        }
        guard apply(to: &tree) else {
            // With its comments.
            finish(writer.text + String(decoding: bytes, as: UTF8.self), model, baseName)
            return
        }
        writer.write(tree)
        guard !writer.isFull else {
            problem =
                "together with \(quoted(baseName)) the policies are larger than \(Settings.bytesAtMost >> 10) KiB: "
                + "each route has a copy of the rules"
            return
        }
        finish(writer.text, model, baseName)
    }

    /// Takes a file that the proxy accepts and that differs from the base in its policies alone.
    private mutating func finish(_ text: String, _ base: Settings, _ baseName: String) {
        let outcome = Self.parse(Array(text.utf8))
        guard let settings = outcome.settings else {
            problem = "together with \(quoted(baseName)) the policies are refused: \(Self.firstError(outcome.flaws))"
            return
        }
        guard Self.withoutPolicies(settings) == Self.withoutPolicies(base) else {
            problem = "the ConfigMap \(quoted(baseName)) is written in a way that cannot be composed"
            return
        }
        self.text = text
    }

    // MARK: Routes

    /// True if any policy has an effect.
    private mutating func apply(to tree: inout YAMLTree) -> Bool {
        var listeners = tree["listeners"]?.items ?? []
        let given = tree["policies"]
        var compiled: [YAMLTree.Entry] = []
        var targeted: Set<String> = []
        for index in listeners.indices where listeners[index]["mode"]?.scalar == "inbound" {
            var routes = listeners[index]["routes"]?.items ?? []
            let listener = listeners[index]["name"]?.scalar ?? ""
            for place in routes.indices {
                let route = routes[place]["name"]?.scalar ?? ""
                let base = routes[place]["policy"]?.scalar ?? ""
                let matching = policies.filter { $0.policy.targets(listener: listener, route: route) }
                targeted.formUnion(matching.map(\.policy.name))
                guard let policy = policy(from: given?[base], matching) else { continue }
                let name = Self.name(listener, route, index, place)
                compiled.append(YAMLTree.Entry(key: name, value: policy))
                routes[place]["policy"] = .text(name)
            }
            listeners[index]["routes"] = .list(routes)
        }
        for selected in policies where !targeted.contains(selected.policy.name) {
            remarks[selected.policy.name] = "the settings have no inbound route that is its target"
        }
        guard !compiled.isEmpty else { return false }
        // What a route still uses stays; the proxy would warn of the others at each reload.
        let stillUsed = Set(
            listeners.flatMap { $0["routes"]?.items ?? [] }.compactMap { $0["policy"]?.scalar })
        let kept = (given?.entries ?? []).filter { stillUsed.contains($0.key) }
        tree["listeners"] = .list(listeners)
        tree["policies"] = .mapping(kept + compiled)
        return true
    }

    /// The policy of one route; nil where it stays as it is.
    private mutating func policy(from base: YAMLTree?, _ matching: [SelectedPolicy]) -> YAMLTree? {
        if let closing = matching.first(where: { $0.policy.isClosed })?.policy {
            for selected in matching where !selected.policy.isClosed {
                remarks[selected.policy.name] =
                    "nobody is let in, because the policy \(quoted(closing.name)) is not accepted"
            }
            return Self.refusingEveryone("\(closing.name.prefix(63))/not-accepted")
        }
        var enforced = matching.filter { $0.policy.mode == .enforce }
        let audited = matching.filter { $0.policy.mode == .audit }
        var mode = EnforcementMode.enforce
        if enforced.isEmpty, !audited.isEmpty {
            guard Self.letsEveryoneIn(base) else {
                for selected in audited {
                    remarks[selected.policy.name] =
                        "in audit mode it would let in whom the settings' own policy refuses, and so has no effect"
                }
                return nil
            }
            (enforced, mode) = (audited, .audit)
        } else {
            for selected in audited {
                remarks[selected.policy.name] =
                    "policies that enforce are for the same route, so that one in audit mode has no effect"
            }
        }
        guard !enforced.isEmpty else { return nil }
        let isReplaced = enforced.contains { $0.allows }
        var rules = (base?["rules"]?.items ?? []).filter { $0["action"]?.scalar == Action.deny.rawValue || !isReplaced }
        for selected in enforced {
            rules += selected.policy.rules.filter {
                // Who has no identity is let in by an allow rule in audit mode too.
                $0.action == .deny || (selected.selectsAll && (mode == .enforce || !$0.isOfPlaintext))
            }.map(\.tree)
        }
        // A policy without rules is none: this one lets nobody in.
        if rules.isEmpty { return Self.refusingEveryone("no-policy-allows") }
        return Self.policy(mode, rules)
    }

    private static func policy(_ mode: EnforcementMode, _ rules: [YAMLTree]) -> YAMLTree {
        .mapping([
            YAMLTree.Entry(key: "mode", value: .plain(mode.rawValue)),
            YAMLTree.Entry(key: "rules", value: .list(rules)),
        ])
    }

    /// Without an allow rule, so that nothing is let in by it, whatever its rule matches.
    private static func refusingEveryone(_ name: String) -> YAMLTree {
        policy(
            .enforce,
            [
                .mapping([
                    YAMLTree.Entry(key: "name", value: .text(name)),
                    YAMLTree.Entry(key: "action", value: .plain(Action.deny.rawValue)),
                    YAMLTree.Entry(key: "identities", value: .list([.text(anyone)])),
                ])
            ])
    }

    /// Whether audit mode would let in nobody else.
    private static func letsEveryoneIn(_ base: YAMLTree?) -> Bool {
        if base?["mode"]?.scalar == EnforcementMode.audit.rawValue { return true }
        let rules = base?["rules"]?.items ?? []
        return rules.contains { rule in
            rule["action"]?.scalar == Action.allow.rawValue
                && (rule["identities"]?.items ?? []).contains { $0.scalar == anyone }
                && ["sources", "destinationPorts", "sni", "unauthenticated"].allSatisfy { rule[$0] == nil }
        } && !rules.contains { $0["action"]?.scalar == Action.deny.rawValue }
    }

    private static let anyone = "spiffe://*/**"

    /// The name of a route's policy in the log.
    private static func name(_ listener: String, _ route: String, _ index: Int, _ place: Int) -> String {
        let name = "\(listener)/\(route)"
        return name.utf8.count <= 128 ? name : "listener-\(index)/route-\(place)"
    }

    // MARK: Settings

    private static func parse(_ text: [UInt8]) -> LoadOutcome {
        // What the file's relative paths begin with, and the socket that the sidecar's environment names.
        Settings.parse(
            text: text, file: "/etc/postern/\(SettingsMap.key)",
            endpointSocket: "unix:///spiffe-workload-api/spire-agent.sock")
    }

    private static func firstError(_ flaws: [SettingsFlaw]) -> String {
        flaws.first { $0.severity == .error }.map { "\($0)" } ?? "it cannot be read"
    }

    private static func withoutPolicies(_ settings: Settings) -> Settings {
        var settings = settings
        settings.policies = []
        for listener in settings.listeners.indices {
            for route in settings.listeners[listener].routes.indices {
                settings.listeners[listener].routes[route].policyIndex = nil
            }
        }
        return settings
    }
}
