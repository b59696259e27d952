import Settings

/// A Kubernetes object of a kind that has to do with policy.
struct PolicyObject {
    let group: String
    /// `v1beta3`
    let version: String
    let kind: String
    let namespace: String
    let name: String
    let node: SourceNode
    let file: String

    var position: Position { node.position(in: file) }

    /// `AuthorizationPolicy orders/viewer`
    var description: String { "\(kind) \(namespace)/\(name)" }

    /// The objects of a document; lists are gone through, and what is no policy is passed over.
    ///
    /// A list is what has `items`, whatever its kind, as for `kubectl`; of its items those without kind are of the kind
    /// that the list's names.
    ///
    /// - Parameter namespace: of objects that name none.
    static func all(
        in document: Manifest.Document, file: String, namespace: String
    ) throws(SettingsFlaw) -> [PolicyObject] {
        try all(in: document.root, of: ListKind(kind: "", version: ""), file: file, namespace: namespace, depth: 0)
    }

    /// The mapping under `spec`; nil where there is none.
    func spec(
        keys: [String], inexpressible: [String: String] = [:]
    ) throws(SettingsFlaw) -> ObjectFields? {
        let top = try ObjectFields(
            node, kind, keys: ["apiVersion", "kind", "metadata", "spec", "status"], file: file)
        guard let spec = top["spec"] else { return nil }
        return try ObjectFields(spec, "the spec of this \(kind)", keys: keys, inexpressible: inexpressible, file: file)
    }

    func flaw(_ message: String, at node: SourceNode? = nil) -> SettingsFlaw {
        SettingsFlaw(.error, at: (node ?? self.node).position(in: file), message)
    }

    func note(_ message: String) -> SettingsFlaw { SettingsFlaw(.warning, at: position, message) }

    /// The value at the end of a path of keys, none of which may be there twice; nil where it is absent.
    func value(_ path: String...) throws(SettingsFlaw) -> SourceNode? {
        var node = node
        for key in path {
            guard let next = try Self.value(key, of: node, file) else { return nil }
            node = next
        }
        return node
    }

    /// The kind and version of a list's items that have none.
    private struct ListKind {
        var kind: String
        var version: String
    }

    private static func all(
        in node: SourceNode, of list: ListKind, file: String, namespace: String, depth: Int
    ) throws(SettingsFlaw) -> [PolicyObject] {
        let position = node.position(in: file)
        if node.isNull { return [] }
        guard node.entries != nil else {
            throw SettingsFlaw(.error, at: position, "expected a Kubernetes object, which is a mapping")
        }
        var (kind, version) = (try text("kind", of: node, file), try text("apiVersion", of: node, file))
        if kind.isEmpty, version.isEmpty { (kind, version) = (list.kind, list.version) }
        let parts = version.split(separator: "/", maxSplits: 1).map(String.init)
        let group = parts.first ?? ""
        if let items = try value("items", of: node, file) {
            guard kind.hasSuffix("List") || !groups.contains(group) else {
                throw SettingsFlaw(.error, at: items.position(in: file), "\(quoted(kind)) is no list, and has `items`")
            }
            guard depth < listsAtMost else {
                throw SettingsFlaw(.error, at: position, "lists are nested more than \(listsAtMost) deep")
            }
            guard let items = items.items else {
                throw SettingsFlaw(.error, at: items.position(in: file), "`items` must be a list, written out")
            }
            var found: [PolicyObject] = []
            var member = ListKind(kind: "", version: "")
            if kind.hasSuffix("List"), kind != "List" {
                member = ListKind(kind: String(kind.dropLast(4)), version: version)
            }
            for item in items {
                found += try all(in: item, of: member, file: file, namespace: namespace, depth: depth + 1)
            }
            return found
        }
        guard !kind.isEmpty, !version.isEmpty else {
            throw SettingsFlaw(.error, at: position, "an object needs `apiVersion` and `kind`")
        }
        if let known = groups.first(where: { $0 == group.lowercased() && $0 != group }) {
            throw SettingsFlaw(.error, at: position, "\(quoted(group)) is no group: did you mean \(quoted(known))?")
        }
        if groups.contains(group), kind.hasSuffix("List") { return [] }
        guard groups.contains(group) || routes.contains(kind) else { return [] }
        guard let metadata = try value("metadata", of: node, file), metadata.entries != nil else {
            throw SettingsFlaw(.error, at: position, "this \(quoted(kind)) has no `metadata`")
        }
        let name = try text("name", of: metadata, file)
        var own = try text("namespace", of: metadata, file)
        if own.isEmpty { own = namespace }
        guard !name.isEmpty else {
            throw SettingsFlaw(.error, at: metadata.position(in: file), "this \(quoted(kind)) has no `name`")
        }
        guard name.isDottedName, own.isName, kind.utf8.allSatisfy({ $0 > 0x40 && $0 < 0x7B }) else {
            throw SettingsFlaw(
                .error, at: metadata.position(in: file),
                "name or namespace is none of Kubernetes's: "
                    + "\(quoted(name)), \(quoted(own))")
        }
        let object = PolicyObject(
            group: group, version: parts.count == 2 ? parts[1] : "", kind: kind, namespace: own, name: name, node: node,
            file: file)
        if groups.contains(group), let known = versions["\(kind).\(group)"] ?? versions[group],
            !known.contains(object.version)
        {
            let remedy = known.isEmpty ? "" : "; of this \(kind) those are: \(known.joined(separator: ", "))"
            throw object.flaw("the version \(quoted(version)) is not known\(remedy)")
        }
        return [object]
    }

    /// The value of a key that must be there at most once.
    private static func value(_ key: String, of node: SourceNode, _ file: String) throws(SettingsFlaw) -> SourceNode? {
        let entries = node.entries ?? []
        if let other = entries.first(where: { $0.key.text == nil || ($0.key.text == "<<" && $0.value.mayHide(key)) }) {
            throw SettingsFlaw(
                .error, at: other.key.position(in: file),
                "a key that is not plain text may be \(quoted(key)): "
                    + "write it out")
        }
        let found = entries.filter { $0.key.text == key }
        guard found.count < 2 else {
            throw SettingsFlaw(.error, at: found[1].key.position(in: file), "a second key \(quoted(key))")
        }
        guard let value = found.first?.value, !value.isNull else { return nil }
        if case .alias = value.content {
            throw SettingsFlaw(.error, at: value.position(in: file), "\(quoted(key)) is an alias: write it out")
        }
        return value
    }

    /// The text of a key; empty where it is absent.
    private static func text(_ key: String, of node: SourceNode, _ file: String) throws(SettingsFlaw) -> String {
        guard let value = try value(key, of: node, file) else { return "" }
        return try value.text(quoted(key), in: file)
    }

    static let istio = "security.istio.io"
    static let linkerd = "policy.linkerd.io"
    private static let oldIstio = "rbac.istio.io"
    private static let groups = [istio, linkerd, oldIstio]
    /// The versions that clusters serve, of a group or of a kind in it.
    private static let versions: [String: [String]] = [
        istio: ["v1", "v1beta1"],
        linkerd: ["v1alpha1", "v1beta1", "v1beta2", "v1beta3"],
        oldIstio: [],
        "Server.\(linkerd)": ["v1beta1", "v1beta2", "v1beta3"],
        "ServerAuthorization.\(linkerd)": ["v1alpha1", "v1beta1"],
        "AuthorizationPolicy.\(linkerd)": ["v1alpha1"],
        "MeshTLSAuthentication.\(linkerd)": ["v1alpha1"],
        "NetworkAuthentication.\(linkerd)": ["v1alpha1"],
    ]
    /// Of any group: that of Linkerd, or that of the Gateway API.
    static let routes = ["HTTPRoute", "GRPCRoute"]
    private static let listsAtMost = 8
}

extension SourceNode {
    /// Whether a mapping that merges this may have the key by it.
    fileprivate func mayHide(_ key: String) -> Bool {
        let merged = resolved.items ?? [self]
        guard merged.count <= Self.mergesAtMost else { return true }
        return merged.contains { node in
            guard let entries = node.resolved.entries, entries.count <= Self.mergedKeysAtMost else { return true }
            return entries.contains { $0.key.text == nil || $0.key.text == "<<" || $0.key.text == key }
        }
    }

    /// Many objects could merge one mapping, all of whose keys are compared each time.
    private static let mergesAtMost = 8
    private static let mergedKeysAtMost = 64
}
