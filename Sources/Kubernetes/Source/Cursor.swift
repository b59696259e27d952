import Settings

/// A node with the way to it from the root of its document.
struct Cursor {
    let source: SourceText
    let aliased: Set<String>
    /// From the root to the node itself.
    let trail: [SourceNode]
    /// The key in front of the node, if it is a value of a mapping.
    let key: SourceNode?

    init(_ document: Manifest.Document, in source: SourceText) {
        self.init(source: source, aliased: document.aliased, trail: [document.root], key: nil)
    }

    private init(source: SourceText, aliased: Set<String>, trail: [SourceNode], key: SourceNode?) {
        self.source = source
        self.aliased = aliased
        self.trail = trail
        self.key = key
    }

    var node: SourceNode { trail[trail.count - 1] }

    var parent: SourceNode? { trail.count > 1 ? trail[trail.count - 2] : nil }

    /// The value of a key; nil if it is absent. Refuses one that is there twice, that is an alias, and that comes by a
    /// merge key.
    func child(_ name: String) throws(SettingsFlaw) -> Cursor? {
        guard let entries = node.entries else { return nil }
        let found = entries.filter { $0.key.resolved.text == name }
        if found.count > 1 { throw flaw("a second key \(quoted(name)) in one mapping", at: found[1].key) }
        if let entry = found.first {
            guard entry.key.text != nil else {
                throw flaw("the key \(quoted(name)) is an alias: write it out", at: entry.key)
            }
            return Cursor(source: source, aliased: aliased, trail: trail + [entry.value], key: entry.key)
        }
        if let key = mergeKey(thatHas: { $0 == name }) {
            throw flaw("\(quoted(name)) comes by a merge key (`<<`), which cannot be edited: write it out", at: key)
        }
        return nil
    }

    /// The text of a key's value, aliases expanded; empty where it is absent, null or no text.
    func text(_ name: String) throws(SettingsFlaw) -> String {
        guard let child = try child(name) else { return "" }
        let node = child.node.resolved
        guard !node.isBinary else { throw child.flaw("\(quoted(name)) is in base64 (`!!binary`): write it out") }
        return node.isNull ? "" : node.text ?? ""
    }

    /// The merge key by which a key of that kind comes, aliases expanded.
    func mergeKey(thatHas isWanted: (String) -> Bool) -> SourceNode? {
        var seen: Set<ObjectIdentifier> = []
        return node.resolved.entries?.first {
            Self.isMergeKey($0.key) && merged($0.value, has: isWanted, &seen, depth: 0)
        }?.key
    }

    func item(_ index: Int) -> Cursor {
        Cursor(source: source, aliased: aliased, trail: trail + [(node.items ?? [])[index]], key: nil)
    }

    /// Refuses an edit that would change a second place too.
    func requireEditable() throws(SettingsFlaw) {
        for node in trail {
            if case .alias(let name) = node.content {
                throw flaw(
                    "this is the alias \(quoted("*" + name)), and an edit would change two places: write the value out",
                    at: node)
            }
            if let anchor = node.anchor, aliased.contains(anchor) {
                throw flaw(
                    "\(quoted("&" + anchor)) is used by an alias, and an edit would change two places: "
                        + "write the value out there", at: node)
            }
        }
    }

    func flaw(_ message: String, at node: SourceNode? = nil) -> SettingsFlaw {
        SettingsFlaw(.error, at: position(of: node ?? self.node), message)
    }

    func warning(_ message: String, at node: SourceNode? = nil) -> SettingsFlaw {
        SettingsFlaw(.warning, at: position(of: node ?? self.node), message)
    }

    func position(of node: SourceNode) -> Position {
        Position(file: source.file, line: node.line, column: node.column)
    }

    private static func isMergeKey(_ key: SourceNode) -> Bool {
        if case .scalar("<<", isPlain: true) = key.content { true } else { false }
    }

    /// Whether a value that is merged has a key. Visits each mapping once: aliases could lead to it a billion times.
    private func merged(
        _ value: SourceNode, has isWanted: (String) -> Bool, _ seen: inout Set<ObjectIdentifier>, depth: Int
    ) -> Bool {
        let value = value.resolved
        guard seen.insert(ObjectIdentifier(value)).inserted else { return false }
        // Deeper or more than anyone writes: better refuse than miss it.
        guard depth < Self.mergesAtMost, source.merges.take(1 + (value.entries?.count ?? 0)) else { return true }
        for item in value.items ?? [] where merged(item, has: isWanted, &seen, depth: depth + 1) { return true }
        for entry in value.entries ?? [] {
            if let text = entry.key.resolved.text, isWanted(text) { return true }
            if Self.isMergeKey(entry.key), merged(entry.value, has: isWanted, &seen, depth: depth + 1) { return true }
        }
        return false
    }

    private static let mergesAtMost = 16
}
