/// The entries of one section of the file, its keys checked against the schema.
struct Fields {
    /// The position of the section.
    let position: Position
    /// The keys of the section, in alphabetical order.
    fileprivate let known: [String]
    fileprivate var entries: [String: Mapping.Entry] = [:]
    /// Missing keys that a reported unknown key most likely meant.
    fileprivate var misspelt: Set<String> = []
    /// False if the tree builder refused a key that may have stood for a missing one.
    fileprivate let isComplete: Bool

    /// The value of a key, if present.
    subscript(key: some NamedKey) -> Node? { entry(key)?.value }

    func keyPosition(_ key: some NamedKey) -> Position? { entry(key)?.keyPosition }

    /// Whether a key is present or was most likely meant.
    func speaks(of key: some NamedKey) -> Bool {
        entry(key) != nil || misspelt.contains(key.name) || !isComplete
    }

    private func entry(_ key: some NamedKey) -> Mapping.Entry? {
        precondition(known.contains(key.name), "the section does not list its key \(key.name)")
        return entries[key.name]
    }
}

extension SettingsReader {
    /// The fields of a section; reports a value that is not a mapping, and each unknown key.
    mutating func fields<Target>(_ node: Node, of section: Section<Target>) -> Fields? {
        guard let mapping = mapping(node, expected: "a mapping of keys to values") else { return nil }
        let known = section.names
        var fields = Fields(position: node.position, known: known, isComplete: mapping.isComplete)
        for entry in mapping.entries {
            guard !known.contains(entry.key) else {
                fields.entries[entry.key] = entry
                continue
            }
            // Once the report is full, skip the work.
            guard !flaws.isFull else { continue }
            let nearest = nearestName(to: entry.key, among: known)
            if let nearest { fields.misspelt.insert(nearest) }
            reportUnknown(entry, nearest: nearest, known: known)
        }
        return fields
    }

    private mutating func reportUnknown(_ entry: Mapping.Entry, nearest: String?, known: [String]) {
        var message = "unknown key \(quoted(entry.key))"
        let elsewhere = Settings.sections(holding: entry.key).map { "`\($0)`" }
        if let nearest {
            message += "; did you mean `\(nearest)`?"
        } else if !elsewhere.isEmpty {
            message += "; it belongs in " + elsewhere.joined(separator: " or ")
        }
        error("\(message) (known here: \(known.joined(separator: ", ")))", at: entry.keyPosition)
    }

    /// Whether a required key is present; reports its absence, with a remedy if there is one.
    mutating func requires(_ key: some NamedKey, in fields: Fields, remedy: String? = nil) -> Bool {
        if !fields.speaks(of: key) {
            error("the key \(key) is missing here" + (remedy.map { ": \($0)" } ?? ""), at: fields.position)
        }
        return fields[key] != nil
    }

    /// The value of a required key; nil if it is flawed or missing, which has been reported.
    mutating func required<Value>(_ key: Key<Value>, in fields: Fields, remedy: String? = nil) -> Value? {
        requires(key, in: fields, remedy: remedy) ? given(key, in: fields) : nil
    }

    /// The value of a key; nil if it is missing, or flawed, which has been reported.
    mutating func given<Value>(_ key: Key<Value>, in fields: Fields) -> Value? {
        fields[key].flatMap { key.type.read(&self, $0) }
    }

    /// The value of a key, or its default; a flawed value has been reported.
    mutating func value<Value>(of key: DefaultedKey<Value>, in fields: Fields) -> Value {
        given(key.key, in: fields) ?? key.fallback
    }

    /// Reads the keys of a section that are stored by key path.
    mutating func landing<Target>(of section: Section<Target>, in fields: Fields) -> Landing<Target> {
        var landing = Landing<Target>()
        for entry in section.entries { entry.land(&self, fields, &landing) }
        return landing
    }

    /// Reads a section whose keys are all stored by key path; a flawed key keeps its default.
    mutating func value<Target>(of section: Section<Target>, _ node: Node) -> Target? {
        guard let fields = fields(node, of: section) else { return nil }
        var target = section.initial
        landing(of: section, in: fields).apply(to: &target)
        return target
    }

    /// Reports a key that the value of another key excludes.
    mutating func refuse(_ key: some NamedKey, in fields: Fields, _ reason: String) {
        if let position = fields.keyPosition(key) {
            error("\(key) has no place here: \(reason)", at: position)
        }
    }
}
