/// A value of a YAML document with aliases expanded.
struct Node: Sendable {
    enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        case mapping(Mapping)
        /// Already reported; readers skip it silently.
        case flawed
    }

    var content: Content
    /// For an alias, the position of the anchored value.
    var position: Position
    /// The number of nodes in this tree, aliases expanded.
    var weight: Int

    var isSequence: Bool {
        if case .sequence = content { true } else { false }
    }
}

/// A YAML scalar. Its key decides its type, not its spelling.
struct Scalar: Sendable {
    enum Style: Sendable {
        case plain, quoted
    }

    var text: String
    var style: Style

    /// Nothing, `~` or `null`, without quotes.
    var isNull: Bool {
        style == .plain && ["", "~", "null", "Null", "NULL"].contains(text)
    }
}

/// The entries of a YAML mapping in the order of the file; no key occurs twice.
struct Mapping: Sendable {
    struct Entry: Sendable {
        var key: String
        var keyPosition: Position
        var value: Node
    }

    var entries: [Entry] = []
    /// False if a refused key (a merge key, or one that is not text) may have stood for missing keys.
    var isComplete = true
}
