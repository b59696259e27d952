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

    /// Group and kind are compared without case, as Linkerd compares them.
    ///
    /// - Parameters:
    ///   - group: where none is written.
    ///   - kind: where none is written; nil if one must be.
    init(
        _ node: SourceNode, in object: PolicyObject, group defaultGroup: String = "", kind defaultKind: String? = nil
    ) throws(SettingsFlaw) {
        let what = "a reference"
        let fields = try ObjectFields(
            node, what, keys: ["group", "kind", "name", "namespace", "sectionName", "port"], file: object.file)
        func text(_ key: String) throws(SettingsFlaw) -> String? {
            guard let value = fields[key] else { return nil }
            // The core group may be written as empty text.
            if key == "group", value.resolved.text == "" { return "" }
            return try value.text(quoted(key), in: object.file)
        }
        let group = try (text("group") ?? defaultGroup).asciiLowercased
        self.group = group == "core" ? "" : group
        var kind = try text("kind") ?? defaultKind
        if kind == nil { kind = try fields.required("kind", of: what).text("`kind`", in: object.file) }
        let written = kind ?? ""
        self.kind = Self.kinds.first { $0.asciiLowercased == written.asciiLowercased } ?? written
        let name = try fields.required("name", of: what)
        self.name = try name.text("`name`", in: object.file)
        guard self.name.isDottedName else {
            throw object.flaw("\(quoted(self.name)) is no name of Kubernetes's, which are lower-case", at: name)
        }
        namespace = try text("namespace")
        self.node = node
    }

    /// Whether it is of a kind of Linkerd's own group.
    func isLinkerd(_ kind: String) -> Bool { group == PolicyObject.linkerd && self.kind == kind }

    /// Whether it is of a kind of the core group.
    func isCore(_ kind: String) -> Bool { group.isEmpty && self.kind == kind }

    var shown: String { quoted(group.isEmpty ? kind : "\(kind).\(group)") }

    private static let kinds =
        ["Server", "Namespace", "ServiceAccount", "MeshTLSAuthentication", "NetworkAuthentication"]
        + PolicyObject.routes
}

extension String {
    /// Only ASCII's letters: Unicode has others whose lower case is a letter of ASCII.
    fileprivate var asciiLowercased: String {
        String(decoding: utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
