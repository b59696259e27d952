/// A value of a YAML document, aliases replaced by what they stand for.
struct Node: Sendable {
    enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        case mapping(Mapping)
        /// Already reported; whoever meets it says nothing more.
        case flawed
    }

    var content: Content
    /// Of a value behind an alias: where the anchored value stands.
    var position: Position
    /// How many nodes a walk through this one visits, aliases expanded.
    var weight: Int

    var isSequence: Bool {
        if case .sequence = content { true } else { false }
    }
}

/// A YAML scalar. Its type is decided by the key it belongs to, not by how it looks.
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
    /// False if a refused key (a merge key, one that is not text) may have stood for keys that are now missing.
    var isComplete = true
}
