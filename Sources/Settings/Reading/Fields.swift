/// The entries of one section of the file, its keys checked against those that the schema lists for it.
struct Fields {
    /// Of the section itself.
    let position: Position
    /// The keys of the section, in alphabetical order.
    fileprivate let known: [String]
    fileprivate var entries: [String: Mapping.Entry] = [:]
    /// Keys that are missing but most likely meant by an unknown one, which has been reported.
    fileprivate var misspelt: Set<String> = []
    /// False if the builder of the tree refused a key that may have stood for missing ones.
    fileprivate let isComplete: Bool

    /// The value of a key, if the file gives it.
    subscript(key: some NamedKey) -> Node? { entry(key)?.value }

    func keyPosition(_ key: some NamedKey) -> Position? { entry(key)?.keyPosition }

    /// Whether the file gives a key or most likely meant to.
    func speaks(of key: some NamedKey) -> Bool {
        entry(key) != nil || misspelt.contains(key.name) || !isComplete
    }

    private func entry(_ key: some NamedKey) -> Mapping.Entry? {
        precondition(known.contains(key.name), "the section does not list its key \(key.name)")
        return entries[key.name]
    }
}

extension SettingsReader {
    /// The fields of a section; reports what is not a mapping, and each key that the section does not have.
    mutating func fields<Target>(_ node: Node, of section: Section<Target>) -> Fields? {
        guard let mapping = mapping(node, expected: "a mapping of keys to values") else { return nil }
        let known = section.names
        var fields = Fields(position: node.position, known: known, isComplete: mapping.isComplete)
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
        let elsewhere = Settings.sections(holding: entry.key).map { "`\($0)`" }
        if let nearest {
            message += "; did you mean `\(nearest)`?"
        } else if !elsewhere.isEmpty {
            message += "; it belongs in " + elsewhere.joined(separator: " or ")
        }
        error("\(message) (known here: \(known.joined(separator: ", ")))", at: entry.keyPosition)
    }

    /// Whether the file gives a key that the section must have; reports its absence, with a remedy if there is one.
    mutating func requires(_ key: some NamedKey, in fields: Fields, remedy: String? = nil) -> Bool {
        if !fields.speaks(of: key) {
            error("the key \(key) is missing here" + (remedy.map { ": \($0)" } ?? ""), at: fields.position)
        }
        return fields[key] != nil
    }

    /// The value of a key that the section must have; nil if it is flawed or not there, which has been reported.
    mutating func required<Value>(_ key: Key<Value>, in fields: Fields, remedy: String? = nil) -> Value? {
        requires(key, in: fields, remedy: remedy) ? given(key, in: fields) : nil
    }

    /// The value of a key; nil if the file does not give it or it is flawed, which has been reported.
    mutating func given<Value>(_ key: Key<Value>, in fields: Fields) -> Value? {
        fields[key].flatMap { key.type.read(&self, $0) }
    }

    /// The value of a key, or what holds without it; a flawed one has been reported.
    mutating func value<Value>(of key: DefaultedKey<Value>, in fields: Fields) -> Value {
        given(key.key, in: fields) ?? key.fallback
    }

    /// Reads the keys of a section that land by themselves.
    mutating func landing<Target>(of section: Section<Target>, in fields: Fields) -> Landing<Target> {
        var landing = Landing<Target>()
        for entry in section.entries { entry.land(&self, fields, &landing) }
        return landing
    }

    /// A section all of whose keys land by themselves; a flawed one keeps its default.
    mutating func value<Target>(of section: Section<Target>, _ node: Node) -> Target? {
        guard let fields = fields(node, of: section) else { return nil }
        var target = section.initial
        landing(of: section, in: fields).apply(to: &target)
        return target
    }

    /// Reports a key that has no place in a section because of what another key says.
    mutating func refuse(_ key: some NamedKey, in fields: Fields, _ reason: String) {
        if let position = fields.keyPosition(key) {
            error("\(key) has no place here: \(reason)", at: position)
        }
    }
}
