import Settings

/// A reference to another object
/// (["targetRef"](https://linkerd.io/2/reference/authorization-policy/#targetref)).
struct LinkerdReference {
    let group: String
    let kind: String
    let name: String
    /// Nil: that of the object that refers.
    let namespace: String?
    let node: SourceNode

    init(_ node: SourceNode, in object: PolicyObject) throws(SettingsFlaw) {
        let what = "a reference"
        let fields = try ObjectFields(
            node, what, keys: ["group", "kind", "name", "namespace", "sectionName", "port"], file: object.file)
        func text(_ key: String) throws(SettingsFlaw) -> String? {
            guard let value = fields[key] else { return nil }
            // The core group may be written as empty text.
            if key == "group", value.resolved.text == "" { return "" }
            return try value.text(quoted(key), in: object.file)
        }
        let group = try text("group") ?? ""
        self.group = group == "core" ? "" : group
        kind = try fields.required("kind", of: what).text("`kind`", in: object.file)
        name = try fields.required("name", of: what).text("`name`", in: object.file)
        namespace = try text("namespace")
        self.node = node
    }

    /// Whether it is of a kind of Linkerd's own group.
    func isLinkerd(_ kind: String) -> Bool { group == PolicyObject.linkerd && self.kind == kind }

    /// Whether it is of a kind of the core group.
    func isCore(_ kind: String) -> Bool { group.isEmpty && self.kind == kind }

    var shown: String { quoted(group.isEmpty ? kind : "\(kind).\(group)") }
}
