import Identity
import KubernetesAPI
import Policy
import Settings
import Testing

@testable import PolicyController

/// The objects of a cluster, which does what the reconciler asks for.
struct FakeCluster {
    var reconciler: Reconciler
    private(set) var maps: [ObjectKey: JSONValue] = [:]
    private(set) var policies: [ObjectKey: JSONValue] = [:]
    /// Writes that were done.
    private(set) var writes: [Reconciler.Write] = []
    /// What becomes of a write, in place of success.
    var fault: (Reconciler.Write) -> APIFault? = { _ in nil }
    var now: Int64 = 0
    private var version = 100

    /// - Parameter listed: whether the collections are read, and empty.
    init(listed: Bool = true) {
        reconciler = Reconciler(baseName: "postern-settings", namespaces: nil)
        if listed { list() }
    }

    mutating func list() {
        for kind in Reconciler.Source.Kind.allCases {
            let source = Reconciler.Source(kind: kind, namespace: nil)
            switch kind {
            case .policies:
                let objects = policies.values.compactMap { try? $0.decoded(as: PosternPolicy.self) }
                reconciler.take(.replaced(objects), from: source)
            case .pods: reconciler.take(CollectionChange<InjectedPod>.replaced([]), from: source)
            case .bases: reconciler.take(CollectionChange<SettingsMap>.replaced([]), from: source)
            case .maps:
                let objects = maps.values.compactMap { try? $0.decoded(as: WrittenMap.self) }
                reconciler.take(.replaced(objects), from: source)
            }
        }
    }

    // MARK: What users do

    mutating func base(_ namespace: String, _ text: String?) throws {
        let source = Reconciler.Source(kind: .bases, namespace: nil)
        let object: JSONValue = [
            "metadata": metadata("postern-settings", namespace),
            "data": text.map { ["postern.yaml": .text($0)] } ?? [:],
        ]
        let map = try object.decoded(as: SettingsMap.self)
        reconciler.take(text == nil ? .removed(map) : .changed(map), from: source)
    }

    mutating func pod(
        _ namespace: String, _ name: String, labels: [String: String], settings: String, phase: String = "Running"
    ) throws {
        var metadata = metadata(name, namespace)
        metadata["labels"] = .object(labels.mapValues { .text($0) })
        metadata["ownerReferences"] = [
            [
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": .text("rs-\(settings)"),
                "controller": true,
            ]
        ]
        let object: JSONValue = [
            "metadata": metadata, "status": ["phase": .text(phase)],
            "spec": ["volumes": [["name": "postern-settings", "configMap": ["name": .text(settings)]]]],
        ]
        reconciler.take(
            .changed(try object.decoded(as: InjectedPod.self)), from: Reconciler.Source(kind: .pods, namespace: nil))
    }

    mutating func apply(_ namespace: String, _ name: String, _ spec: JSONValue) throws {
        let key = ObjectKey(namespace, name)
        var object = policies[key] ?? ["metadata": ["uid": .text("uid-\(name)")]]
        let generation = (object["metadata"]?["generation"]?.integer ?? 0) + 1
        var metadata = metadata(name, namespace)
        metadata["generation"] = .integer(generation)
        object["metadata"] = metadata
        object["spec"] = spec
        policies[key] = object
        reconciler.take(.changed(try object.decoded(as: PosternPolicy.self)), from: Self.policySource)
    }

    mutating func delete(_ namespace: String, _ name: String) throws {
        guard let object = policies.removeValue(forKey: ObjectKey(namespace, name)) else { return }
        reconciler.take(.removed(try object.decoded(as: PosternPolicy.self)), from: Self.policySource)
    }

    mutating func put(_ namespace: String, _ name: String, data: [String: String]) throws {
        let key = ObjectKey(namespace, name)
        var metadata = maps[key]?["metadata"] ?? metadata(name, namespace)
        metadata["resourceVersion"] = nextVersion()
        let object: JSONValue = ["metadata": metadata, "data": .object(data.mapValues { .text($0) })]
        maps[key] = object
        reconciler.take(
            .changed(try object.decoded(as: WrittenMap.self)), from: Reconciler.Source(kind: .maps, namespace: nil))
    }

    // MARK: What the controller does

    /// Until there is nothing to write, or all that is left has to wait.
    mutating func settle() throws {
        for _ in 0..<1_000 {
            let some = reconciler.writes(now: now, time: "T\(now)")
            if some.isEmpty, reconciler.wait(now: now) > 0 { return }
            for write in some {
                if let fault = fault(write) {
                    reconciler.failed(write, fault, now: now, random: 0)
                } else {
                    writes.append(write)
                    reconciler.wrote(write, try perform(write))
                }
            }
        }
        Issue.record("it never ends")
    }

    private mutating func perform(_ write: Reconciler.Write) throws -> JSONValue {
        switch write {
        case .create(let key, let object):
            #expect(maps[key] == nil)
            var made = object
            made["metadata"]?["resourceVersion"] = nextVersion()
            maps[key] = made
            return made
        case .patch(let key, let patch):
            let old = try #require(maps[key])
            #expect(patch["metadata"]?["resourceVersion"] == old["metadata"]?["resourceVersion"])
            var merged = Self.merged(old, patch)
            merged["metadata"]?["resourceVersion"] = nextVersion()
            maps[key] = merged
            return merged
        case .delete(let key, let version):
            #expect(maps[key]?["metadata"]?["resourceVersion"]?.text == version)
            maps[key] = nil
            return .null
        case .status(let key, let patch):
            var object = try #require(policies[key])
            #expect(patch.list?.first?["value"] == object["metadata"]?["resourceVersion"])
            object["status"] = patch.list?.last?["value"]
            object["metadata"]?["resourceVersion"] = nextVersion()
            policies[key] = object
            return object
        }
    }

    // MARK: What comes of it

    func text(_ namespace: String, _ name: String) -> String? {
        maps[ObjectKey(namespace, name)]?["data"]?["postern.yaml"]?.text
    }

    /// Status, reason and message of a condition.
    func condition(_ namespace: String, _ name: String, _ type: String) -> (
        status: String, reason: String, message: String
    ) {
        let all = policies[ObjectKey(namespace, name)]?["status"]?["conditions"]?.list ?? []
        let found = all.first { $0["type"]?.text == type }
        return (
            found?["status"]?.text ?? "none", found?["reason"]?.text ?? "none", found?["message"]?.text ?? "none"
        )
    }

    func workload(_ namespace: String, _ name: String) -> String? {
        policies[ObjectKey(namespace, name)]?["status"]?["workloads"]?.list?.first?["message"]?.text
    }

    private mutating func metadata(_ name: String, _ namespace: String) -> JSONValue {
        [
            "name": .text(name), "namespace": .text(namespace), "resourceVersion": nextVersion(),
            "uid": .text("uid-\(name)"),
        ]
    }

    private mutating func nextVersion() -> JSONValue {
        version += 1
        return .text("\(version)")
    }

    /// RFC 7396.
    private static func merged(_ old: JSONValue, _ patch: JSONValue) -> JSONValue {
        guard let members = patch.members else { return patch }
        var result = old.members ?? [:]
        for (key, value) in members where value != .null { result[key] = merged(result[key] ?? [:], value) }
        for (key, value) in members where value == .null { result.removeValue(forKey: key) }
        return .object(result)
    }

    private static let policySource = Reconciler.Source(kind: .policies, namespace: nil)
}

/// The settings of a namespace in these tests.
enum Base {
    static let text = """
        # Of the shop.
        admin: {bind: "0.0.0.0:15000"}
        listeners:
          - name: inbound
            mode: inbound
            bind: 0.0.0.0:15006
            routes:
              - name: orders
                match: {destinationPorts: [8080]}
                upstream: {endpoints: ["127.0.0.1:8080"]}
                policy: own
              - {name: rest, upstream: {endpoints: ["127.0.0.1:9100"]}, policy: own}
          - name: outbound
            mode: outbound
            bind: 127.0.0.1:15001
            routes:
              - name: all
                upstream: {endpoints: ["10.0.0.1:443"], identities: ["spiffe://example.org/**"]}
        policies:
          own:
            rules:
              - {name: own, action: allow, identities: ["spiffe://example.org/ns/shop/**"]}
              - {name: no-legacy, action: deny, identities: ["spiffe://example.org/ns/shop/sa/legacy"]}
        """

    /// Who of `callers` is let in by a settings file; "invalid" if the proxy refuses it.
    static func lets(_ text: String?, route: String = "orders", _ callers: [String] = callers) throws -> String {
        guard let text else { return "none" }
        let outcome = Settings.parse(text: Array(text.utf8), file: "postern.yaml", endpointSocket: "unix:///a.sock")
        guard let settings = outcome.settings else { return "invalid: \(outcome.flaws)\n\(text)" }
        let found = try #require(settings.listeners[0].routes.first { $0.name == route })
        let policy = settings.policies[try #require(found.policyIndex)]
        let source = try #require(IPAddress(parsing: "10.0.0.9"))
        return try callers.filter { caller in
            let identity = try caller == "nobody" ? nil : SPIFFEID(parsing: "spiffe://example.org/ns/\(caller)")
            return policy.decide(
                Request(
                    identity: identity, source: source, destinationPort: 8080,
                    serverName: nil)
            ).forwards
        }.joined(separator: " ")
    }

    static let callers = ["shop/sa/cart", "shop/sa/legacy", "other/sa/a", "nobody"]
}

/// A spec with one rule for each pair of action and identity.
func spec(
    _ rules: [(String, String)], selector: JSONValue = [:], target: JSONValue? = nil, mode: String? = nil
) -> JSONValue {
    var spec: JSONValue = [
        "selector": selector,
        "rules": .list(
            rules.enumerated().map { index, rule in
                [
                    "name": .text("r\(index)"), "action": .text(rule.0),
                    "identities": [.text("spiffe://example.org/ns/\(rule.1)")],
                ]
            }),
    ]
    if let target { spec["target"] = target }
    if let mode { spec["mode"] = .text(mode) }
    return spec
}
