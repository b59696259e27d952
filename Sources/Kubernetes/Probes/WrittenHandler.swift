import Settings

/// The text of a probe's handler, from its key to the end of its value, as it was before the probe was rewritten.
struct WrittenHandler {
    let text: String
    /// Of its key, counted from 1; 0 in braces, where it does not matter.
    let column: Int

    init(_ handler: Cursor) throws(SettingsFlaw) {
        guard let range = handler.entryRange else { throw Placement.refusal(handler) }
        text = handler.source.text(range)
        column = handler.entryColumn
    }

    /// From the record of an injected pod; nil if it is none.
    init?(_ node: SourceNode) {
        guard let text = node.value("text")?.text, let column = node.value("column")?.text.flatMap({ Int($0) }),
            (0...Self.columnsAtMost).contains(column)
        else { return nil }
        (self.text, self.column) = (text, column)
    }

    var value: Value {
        .mapping([Value.Field("text", .text(text)), Value.Field("column", .plain(String(column)))])
    }

    /// The entry that the text is: a key of a handler and its value. Nil if it is anything else.
    var entry: SourceNode.Entry? {
        let document = column == 0 ? "{\(text)}" : String(repeating: " ", count: column - 1) + text
        guard let manifest = try? Manifest(Array(document.utf8), file: ""), manifest.documents.count == 1,
            let entries = manifest.documents[0].root.entries, entries.count == 1,
            let key = entries[0].key.text, ProbeKind.handlers.contains(key)
        else { return nil }
        return entries[0]
    }

    /// What to write in the place of the rewritten handler: the text, or the same in JSON where the place is laid out
    /// otherwise today. Nil if the text is no handler.
    func replacement(for handler: Cursor) -> String? {
        guard let entry else { return nil }
        if column == handler.entryColumn { return text }
        guard let key = entry.key.text, let value = Value(entry.value) else { return nil }
        return handler.entryColumn == 0 ? Value.Field(key, value).flow : "\(key): \(value.flow)"
    }

    private static let columnsAtMost = 100_000
}

extension Cursor {
    /// From the key to the end of the value; line breaks behind a block scalar stay.
    var entryRange: Range<Int>? {
        guard let key else { return nil }
        var end = node.end
        while end > key.end, [.newline, .carriageReturn, .space].contains(source.bytes[end - 1]) { end -= 1 }
        return key.start..<end
    }

    /// The column of the key; 0 in braces.
    var entryColumn: Int { parent?.isFlow == true ? 0 : key?.column ?? 0 }
}

extension Value {
    /// The same value without its layout; nil where an alias is in it.
    fileprivate init?(_ node: SourceNode) {
        switch node.content {
        case .alias: return nil
        case .scalar(let text, let isPlain):
            self = isPlain && node.tag == nil && UInt16(text) != nil ? .plain(text) : .text(text)
        case .sequence(let items):
            let values = items.compactMap { Value($0) }
            guard values.count == items.count else { return nil }
            self = .list(values)
        case .mapping(let entries):
            var fields: [Field] = []
            for entry in entries {
                guard let key = entry.key.text, let value = Value(entry.value) else { return nil }
                fields.append(Field(key, value))
            }
            self = .mapping(fields)
        }
    }
}
