/// The names of one kind read so far, which must be unique.
struct NameList {
    /// `rule`, `route` or `listener`.
    let kind: String
    private var positions: [String: Position] = [:]

    init(of kind: String) {
        self.kind = kind
    }

    /// Where the name was used before, if it was.
    mutating func add(_ name: String, at position: Position) -> Position? {
        if let first = positions[name] { return first }
        positions[name] = position
        return nil
    }
}

extension SettingsReader {
    /// Reads a name that must be unique.
    mutating func name(_ node: Node, notIn names: inout NameList) -> String? {
        guard let name = text(node, expected: "the name of a \(names.kind)", bytesAtMost: 128) else { return nil }
        guard let first = names.add(name, at: node.position) else { return name }
        return refuse(
            "a second \(names.kind) named \(quoted(name)); the first is at line \(first.line)", at: node.position)
    }
}
