import Settings

/// Collects the edits that add entries to mappings and items to lists, in the style of what is there.
///
/// Additions come first in what they are added to. In block style they are whole lines behind the line of the key.
/// ``Removal`` undoes each of these.
struct Placement {
    private(set) var edits: [TextEdit] = []

    /// In front of what an added key replaces: `volumes: []` becomes a comment that ``Removal`` uncovers.
    static let coverMark = "# postern: "

    /// Adds entries in front of those of a mapping that is neither null nor empty.
    mutating func add(_ fields: [Value.Field], to mapping: Cursor) throws(SettingsFlaw) {
        guard !fields.isEmpty else { return }
        try mapping.requireEditable()
        if mapping.node.isFlow {
            edits.append(.insert(fields.map { $0.flow + ", " }.joined(), at: mapping.node.opening))
        } else {
            guard let first = mapping.node.entries?.first else { throw Self.refusal(mapping) }
            try addLines(fields.flatMap(\.block), behindKeyOf: mapping, column: first.key.column)
        }
    }

    /// Adds items in front of those of the list with this key. Returns the entry to add if there is none yet.
    mutating func add(_ items: [Value], toList key: String, of mapping: Cursor) throws(SettingsFlaw) -> Value.Field? {
        guard let list = try mapping.child(key) else { return Value.Field(key, .list(items)) }
        try list.requireEditable()
        if list.node.isEmpty {
            try fill(list, key, with: .list(items))
            return nil
        }
        guard list.node.items != nil else { throw list.flaw("\(quoted(key)) must be a list") }
        if list.node.isFlow {
            edits.append(.insert(items.map { $0.flow + ", " }.joined(), at: list.node.opening))
        } else {
            let dash = list.source.dash(of: list.node)
            let column = dash - list.source.lineStart(dash) + 1
            try addLines(items.flatMap(\.item), behindKeyOf: list, column: column)
        }
        return nil
    }

    /// Adds an entry to the mapping with this key. Returns the entry to add if there is none yet.
    mutating func add(
        _ field: Value.Field, toMapping key: String, of mapping: Cursor
    ) throws(SettingsFlaw) -> Value.Field? {
        guard let inner = try mapping.child(key) else { return Value.Field(key, .mapping([field])) }
        try inner.requireEditable()
        if inner.node.isEmpty {
            try fill(inner, key, with: .mapping([field]))
        } else if inner.node.entries != nil {
            try add([field], to: inner)
        } else {
            throw inner.flaw("\(quoted(key)) must be a mapping")
        }
        return nil
    }

    /// Lets a probe ask the proxy. What stood there is in the ``ProbeRecord``.
    mutating func rewrite(_ probe: ApplicationProbe) throws(SettingsFlaw) {
        let handler = probe.handler
        try handler.requireEditable()
        guard let key = handler.key, let range = handler.entryRange else { throw Self.refusal(handler) }
        guard !key.hasAnchor(of: handler.aliased), !handler.node.hasAnchor(of: handler.aliased) else {
            throw handler.flaw(
                "an anchor in this probe is used by an alias, and the probe is rewritten: write the value out there")
        }
        let field = ApplicationProbe.rewritten(path: probe.path)
        let text = handler.entryColumn == 0 ? field.flow : "\(field.key): \(field.value.flow)"
        edits.append(TextEdit(range: range, text: text))
    }

    /// Fills a value that is null or empty.
    mutating func fill(_ empty: Cursor, _ name: String, with value: Value) throws(SettingsFlaw) {
        try empty.requireEditable()
        guard let key = empty.key else { throw Self.refusal(empty) }
        let source = empty.source
        let lineEnd = source.lineEnd(key.start)
        // On one line, and nothing else is there.
        if empty.parent?.isFlow == false, empty.node.end <= lineEnd, source.isFirstOnLine(key.start) {
            edits.append(.insert(Self.coverMark, at: key.start))
            let lineBreak = source.lineBreak(key.start)
            let indent = String(repeating: " ", count: key.column - 1)
            let lines = Value.Field(name, value).block.map { indent + $0 }.joined(separator: lineBreak)
            let isWhole = source.isLineStart(lineEnd)
            edits.append(.insert(isWhole ? lines + lineBreak : lineBreak + lines, at: lineEnd))
        } else if empty.node.isFlow {
            // The space tells Removal that the braces were there before.
            edits.append(.insert(String(value.flow.dropFirst().dropLast()) + " ", at: empty.node.opening))
        } else {
            throw empty.flaw("this null cannot be edited: leave the key \(quoted(name)) out")
        }
    }

    private mutating func addLines(
        _ lines: [String], behindKeyOf cursor: Cursor, column: Int
    ) throws(SettingsFlaw) {
        guard let key = cursor.key else { throw Self.refusal(cursor) }
        let lineEnd = cursor.source.lineEnd(key.end)
        guard lineEnd <= cursor.node.opening else { throw Self.refusal(cursor) }
        let lineBreak = cursor.source.lineBreak(key.end)
        let indent = String(repeating: " ", count: column - 1)
        edits.append(.insert(lines.map { indent + $0 + lineBreak }.joined(), at: lineEnd))
    }

    static func refusal(_ cursor: Cursor) -> SettingsFlaw {
        cursor.flaw(
            "this is written in a way that cannot be edited safely: put the key and its value on lines of their own")
    }
}

extension SourceText {
    /// The offset of the first dash of a list in block style.
    func dash(of list: SourceNode) -> Int {
        // libyaml gives the end of the dash instead for a list that is not indented below its key.
        byte(list.opening) == .dash ? list.opening : list.opening - 1
    }
}
