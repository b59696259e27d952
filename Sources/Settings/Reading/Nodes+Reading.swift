extension SettingsReader {
    /// The entries of a mapping; reports anything else.
    mutating func mapping(_ node: Node, expected: String) -> Mapping? {
        if case .mapping(let mapping) = node.content { return mapping }
        return mismatch(node, expected: expected)
    }

    /// Reads every item of a list with `read`; nil if one is flawed. An empty list is an error, because it could mean
    /// everything or nothing.
    mutating func list<Item>(
        _ node: Node, of expected: String, atMost: Int = itemsAtMost, whenEmpty remedy: String = "name at least one",
        read: (inout SettingsReader, Node) -> Item?
    ) -> [Item]? {
        guard case .sequence(let nodes) = node.content else {
            return mismatch(node, expected: "a list of \(expected)", remedy: ": put it in brackets")
        }
        guard !nodes.isEmpty else {
            return refuse(
                "the list of \(expected) is empty: \(remedy)", at: node.position)
        }
        guard nodes.count <= atMost else {
            return refuse("\(nodes.count) items are more than the \(atMost) allowed here", at: node.position)
        }
        let items = nodes.map { read(&self, $0) }
        let sound = items.compactMap(\.self)
        return sound.count == items.count ? sound : nil
    }

    /// A scalar that is not null; reports anything else.
    mutating func scalar(_ node: Node, expected: String) -> Scalar? {
        if case .scalar(let scalar) = node.content, !scalar.isNull { return scalar }
        return mismatch(node, expected: expected)
    }

    /// Text of one line, not empty, at most `bytesAtMost` bytes.
    mutating func text(_ node: Node, expected: String, bytesAtMost: Int = 255) -> String? {
        guard let text = scalar(node, expected: expected)?.text else { return nil }
        guard !text.isEmpty else {
            return refuse("expected \(expected), found empty text", at: node.position)
        }
        guard text.utf8.count <= bytesAtMost else {
            return refuse("expected \(expected), found text of more than \(bytesAtMost) bytes", at: node.position)
        }
        guard !text.unicodeScalars.contains(where: \.isControl) else {
            return refuse("expected \(expected), found a line break or control character in it", at: node.position)
        }
        return text
    }

    /// Reports a value of the wrong type, unless already reported; the remedy is for a lone scalar.
    private mutating func mismatch<Value>(_ node: Node, expected: String, remedy: String = "") -> Value? {
        switch node.content {
        case .flawed: nil
        case .mapping: refuse("expected \(expected), found a mapping", at: node.position)
        case .sequence: refuse("expected \(expected), found a list", at: node.position)
        case .scalar(let scalar) where scalar.isNull:
            refuse("expected \(expected), found nothing", at: node.position)
        case .scalar(let scalar):
            refuse("expected \(expected), found \(quoted(scalar.text))\(remedy)", at: node.position)
        }
    }
}

/// A generous bound for lists that a person writes or a program generates.
let itemsAtMost = 4_096
