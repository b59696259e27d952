/// The entries of one section of the file, its keys checked against those that the reference lists for it.
struct Fields {
    /// Of the section itself.
    let position: Position
    fileprivate var entries: [String: Mapping.Entry] = [:]
    /// Keys that are missing but most likely meant by an unknown one, which has been reported.
    fileprivate var misspelt: Set<String> = []
    /// False if the builder of the tree refused a key that may have stood for missing ones.
    fileprivate let isComplete: Bool

    /// The value of a key, if the file gives it.
    subscript(key: String) -> Node? { entries[key]?.value }

    func keyPosition(_ key: String) -> Position? { entries[key]?.keyPosition }

    /// Whether the file gives a key or most likely meant to.
    func speaks(of key: String) -> Bool {
        entries[key] != nil || misspelt.contains(key) || !isComplete
    }
}

extension SettingsReader {
    /// The fields of a section named as in `Settings.reference`, such as `listeners[]`; reports what is not a mapping,
    /// and each key that the section does not have.
    mutating func fields(_ node: Node, section: String) -> Fields? {
        guard let mapping = mapping(node, expected: "a mapping of keys to values") else { return nil }
        let known = KnownKeys.of(section: section)
        var fields = Fields(position: node.position, isComplete: mapping.isComplete)
        for entry in mapping.entries {
            guard !known.contains(entry.key) else {
                fields.entries[entry.key] = entry
                continue
            }
            // Of a report that is full anyway, no more is worked out.
            guard !flaws.isFull else { continue }
            let nearest = nearestName(to: entry.key, among: known)
            if let nearest { fields.misspelt.insert(nearest) }
            reportUnknown(entry, nearest: nearest, known: known)
        }
        return fields
    }

    private mutating func reportUnknown(_ entry: Mapping.Entry, nearest: String?, known: [String]) {
        var message = "unknown key \(quoted(entry.key))"
        let elsewhere = KnownKeys.sections(holding: entry.key).map { "`\($0)`" }
        if let nearest {
            message += "; did you mean `\(nearest)`?"
        } else if !elsewhere.isEmpty {
            message += "; it belongs in " + elsewhere.joined(separator: " or ")
        }
        error("\(message) (known here: \(known.joined(separator: ", ")))", at: entry.keyPosition)
    }

    /// The value of a key that the section must have; reports its absence, with a remedy if there is one to tell.
    mutating func required(_ key: String, in fields: Fields, remedy: String? = nil) -> Node? {
        if !fields.speaks(of: key) {
            error("the key `\(key)` is missing here" + (remedy.map { ": \($0)" } ?? ""), at: fields.position)
        }
        return fields[key]
    }

    /// What `read` makes of a key's value, or the default without one.
    mutating func value<Value>(
        of key: String, in fields: Fields, default defaultValue: Value,
        read: (inout SettingsReader, Node) -> Value?
    ) -> Value {
        guard let node = fields[key] else { return defaultValue }
        return read(&self, node) ?? defaultValue
    }
}
