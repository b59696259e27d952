import Settings

/// A Kubernetes object that is or makes pods.
struct Workload {
    let kind: String
    /// Empty where the object has none, as with `generateName`.
    let name: String
    let object: Cursor
    /// The mapping with the pod's `metadata` and `spec`; nil where the object has none, as a patch may.
    let pod: Cursor?
    /// Whether this program knows where such objects have their pods.
    var isKnown = true

    /// All workloads of a document, in its order; lists are gone through.
    static func all(in document: Cursor) throws(SettingsFlaw) -> [Workload] {
        try all(in: document, inferred: Inferred(), depth: 0)
    }

    /// What an item of a list is that says neither: a PodList's items are pods.
    private struct Inferred {
        var kind = ""
        var version = ""
    }

    private static func all(
        in document: Cursor, inferred: Inferred, depth: Int
    ) throws(SettingsFlaw) -> [Workload] {
        // Behind an alias nothing can be edited, and what is not seen cannot be protected.
        if case .alias = document.node.content { try document.requireEditable() }
        // Refuses two of them, of which others might read the second.
        var (kind, version) = (try document.text("kind"), try document.text("apiVersion"))
        if kind.isEmpty, version.isEmpty { (kind, version) = (inferred.kind, inferred.version) }
        if kind.hasSuffix("List") {
            guard let items = try document.child("items") else { return [] }
            if case .alias = items.node.content { try items.requireEditable() }
            guard depth < listsAtMost else { throw document.flaw("lists are nested more than \(listsAtMost) deep") }
            var found: [Workload] = []
            let inferred = kind == "List" ? Inferred() : Inferred(kind: String(kind.dropLast(4)), version: version)
            for index in (items.node.items ?? []).indices {
                found += try all(in: items.item(index), inferred: inferred, depth: depth + 1)
            }
            return found
        }
        let name = document.node.value("metadata")?.value("name")?.text ?? ""
        guard let path = podPaths[kind], version.isGroup(of: kind) else {
            // Such as Argo's Rollout: nobody must believe that it is protected.
            guard document.node.value("spec")?.value("template")?.value("spec")?.value("containers") != nil else {
                return []
            }
            return [Workload(kind: kind, name: name, object: document, pod: nil, isKnown: false)]
        }
        return [Workload(kind: kind, name: name, object: document, pod: try Self.pod(document, path))]
    }

    /// Whether the proxy's container is in it.
    var hasProxy: Bool {
        let spec = pod?.node.value("spec")
        return ["initContainers", "containers"].contains { list in
            spec?.value(list)?.items?.contains { $0.value("name")?.text == Sidecar.ContainerName.proxy } ?? false
        }
    }

    private static func pod(_ object: Cursor, _ path: [String]) throws(SettingsFlaw) -> Cursor? {
        var cursor = object
        for key in path {
            guard let next = try cursor.child(key), !next.node.isNull else { return nil }
            if case .alias = next.node.content { try next.requireEditable() }
            guard next.node.entries != nil else { throw next.flaw("\(quoted(key)) must be a mapping") }
            cursor = next
        }
        return cursor
    }

    /// Where the pod template is.
    private static let podPaths: [String: [String]] = [
        "Pod": [], "Deployment": ["spec", "template"], "StatefulSet": ["spec", "template"],
        "DaemonSet": ["spec", "template"], "ReplicaSet": ["spec", "template"],
        "ReplicationController": ["spec", "template"], "Job": ["spec", "template"],
        "CronJob": ["spec", "jobTemplate", "spec", "template"],
    ]

    private static let listsAtMost = 8
}

extension String {
    /// Whether an `apiVersion` is one of the group that defines the kind: others have kinds of the same name.
    fileprivate func isGroup(of kind: String) -> Bool {
        switch kind {
        case "Pod", "ReplicationController": self == "v1"
        case "Job", "CronJob": hasPrefix("batch/")
        default: hasPrefix("apps/") || hasPrefix("extensions/")
        }
    }
}
