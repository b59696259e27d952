/// A value to be written as YAML.
indirect enum Value: Sendable {
    case text(String)
    /// A number or a boolean.
    case plain(String)
    case list([Value])
    case mapping([Field])

    struct Field: Sendable {
        let key: String
        let value: Value

        init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// In JSON, on one line.
    var flow: String {
        switch self {
        case .text(let text): Self.quote(text)
        case .plain(let text): text
        case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
        case .mapping(let fields): "{" + fields.map(\.flow).joined(separator: ", ") + "}"
        }
    }

    /// The lines of it as an item of a block list.
    var item: [String] {
        switch self {
        case .text, .plain, .list: ["- " + inline]
        case .mapping(let fields):
            fields.flatMap(\.block).enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
        }
    }

    /// Whether a node of a file says the same.
    func isSame(as node: SourceNode) -> Bool {
        switch (self, node.content) {
        case (.text(let text), .scalar(let found, _)): text == found
        case (.plain(let text), .scalar(let found, let isPlain)): text == found && isPlain
        case (.list(let items), .sequence(let found)):
            items.count == found.count && zip(items, found).allSatisfy { $0.isSame(as: $1) }
        case (.mapping(let fields), .mapping(let found)):
            fields.count == found.count
                && zip(fields, found).allSatisfy { $0.key == $1.key.text && $0.value.isSame(as: $1.value) }
        default: false
        }
    }

    fileprivate var inline: String {
        switch self {
        case .text(let text) where Self.isPlainText(text): text
        case .text(let text) where Self.isBestInApostrophes(text): Self.apostrophes(text)
        case .text(let text): Self.quote(text)
        case .plain(let text): text
        case .list(let items): "[" + items.map(\.inline).joined(separator: ", ") + "]"
        case .mapping: flow
        }
    }

    /// Texts that every YAML parser takes for texts without quotes.
    private static func isPlainText(_ text: String) -> Bool {
        let begins = text.utf8.first.map { $0.isLetter || $0 == UInt8(ascii: "/") } ?? false
        guard begins || text.hasPrefix("--") && text.utf8.count > 3 else { return false }
        return !YAMLWord.words.contains(text.lowercased())
            && text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-_./".utf8.contains($0) }
    }

    /// Texts in which apostrophes as quotes leave the rest legible, such as JSON.
    private static func isBestInApostrophes(_ text: String) -> Bool {
        text.contains("\"") && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    private static func apostrophes(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}

extension Value.Field {
    /// An entry of a JSON object.
    var flow: String { "\(Value.quote(key)): \(value.flow)" }

    /// The lines of it as an entry of a block mapping.
    var block: [String] {
        let name = Value.text(key).inline
        return switch value {
        case .mapping(let fields) where !fields.isEmpty: ["\(name):"] + fields.flatMap(\.block).map { "  " + $0 }
        case .list(let items) where items.contains(where: \.isMapping):
            ["\(name):"] + items.flatMap(\.item).map { "  " + $0 }
        default: ["\(name): \(value.inline)"]
        }
    }
}

extension Value {
    fileprivate var isMapping: Bool {
        if case .mapping = self { true } else { false }
    }
}

extension UInt8 {
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
