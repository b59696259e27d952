import Settings

/// A mapping of a policy, all of whose keys are known: one that is not understood could be a condition.
struct ObjectFields {
    let position: Position
    private let values: [String: SourceNode]

    /// Refuses unknown keys, and those of `inexpressible` with the remedy that stands there.
    init(
        _ node: SourceNode, _ what: String, keys: [String], inexpressible: [String: String] = [:], file: String
    ) throws(SettingsFlaw) {
        position = node.position(in: file)
        guard let entries = node.resolved.entries else {
            throw SettingsFlaw(.error, at: position, "\(what) must be a mapping")
        }
        var values: [String: SourceNode] = [:]
        for entry in entries {
            let place = entry.key.position(in: file)
            guard let key = entry.key.text, key != "<<" else {
                throw SettingsFlaw(.error, at: place, "a key of \(what) is not plain text: write it out")
            }
            guard values.updateValue(entry.value, forKey: key) == nil else {
                throw SettingsFlaw(.error, at: place, "a second \(quoted(key)) in \(what)")
            }
            if let remedy = inexpressible[key] {
                guard !entry.value.resolved.isNull else { continue }
                throw SettingsFlaw(.error, at: place, "\(quoted(key)) cannot be expressed: \(remedy)")
            }
            guard keys.contains(key) else {
                let nearest = nearestName(to: key, among: keys).map { "; did you mean \(quoted($0))?" } ?? ""
                throw SettingsFlaw(
                    .error, at: place, "\(what) has the unknown key \(quoted(key)), which may be a condition\(nearest)")
            }
        }
        self.values = values
    }

    /// The value of a key; nil if it is absent or null.
    subscript(key: String) -> SourceNode? {
        guard let value = values[key], !value.resolved.isNull else { return nil }
        return value
    }

    var isEmpty: Bool { !values.values.contains { !$0.resolved.isNull } }

    func required(_ key: String, of what: String) throws(SettingsFlaw) -> SourceNode {
        guard let value = self[key] else {
            throw SettingsFlaw(.error, at: position, "\(what) has no \(quoted(key))")
        }
        return value
    }
}

extension SourceNode {
    func position(in file: String) -> Position { Position(file: file, line: line, column: column) }

    /// A scalar's text; throws for anything else, and for what is empty.
    func text(_ what: String, in file: String) throws(SettingsFlaw) -> String {
        let node = resolved
        guard let text = node.text, !node.isNull, !text.isEmpty else {
            throw SettingsFlaw(.error, at: position(in: file), "\(what) must be text")
        }
        guard node.hasTextTag else {
            throw SettingsFlaw(
                .error, at: position(in: file), "\(what) has a tag, by which it may be other text: write it without")
        }
        return text
    }

    /// The items of a list that has some.
    ///
    /// An empty list is refused: a list of conditions without any reads like "nobody" and means "anybody".
    func items(_ what: String, in file: String, emptyIsNone: Bool = false) throws(SettingsFlaw) -> [SourceNode] {
        guard let items = resolved.items else {
            throw SettingsFlaw(.error, at: position(in: file), "\(what) must be a list")
        }
        guard !items.isEmpty || emptyIsNone else {
            throw SettingsFlaw(
                .error, at: position(in: file), "\(what) is empty, which restricts nothing: leave the key out")
        }
        guard items.count <= Self.itemsAtMost else {
            throw SettingsFlaw(.error, at: position(in: file), "\(what) has more than \(Self.itemsAtMost) items")
        }
        return items
    }

    private static let itemsAtMost = 512
}
