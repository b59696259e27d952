import Settings

/// A value of a YAML document, with its place in the text. Aliases are not expanded.
final class SourceNode {
    enum Content {
        case scalar(String, isPlain: Bool)
        case sequence([SourceNode])
        case mapping([Entry])
        case alias(String)
    }

    struct Entry {
        let key: SourceNode
        let value: SourceNode
    }

    let content: Content
    /// What an alias stands for, which its document holds. Weak, because a long chain of aliases would be freed by
    /// recursion.
    private weak let target: SourceNode?
    let anchor: String?
    let tag: String?
    /// In braces or brackets.
    let isFlow: Bool
    /// Offset of the first byte: of the anchor or tag if there is one.
    let start: Int
    /// Of a collection: offset behind its brace or bracket, or of its first entry.
    let opening: Int
    /// Offset behind the last byte; comments after a value are no part of it.
    let end: Int
    let line: Int
    let column: Int

    init(
        _ content: Content, _ event: MarkedEvents.Event, isFlow: Bool = false, end: Int, target: SourceNode? = nil
    ) {
        self.content = content
        self.target = target
        self.anchor = event.anchor
        self.tag = event.tag
        self.isFlow = isFlow
        self.start = event.start
        self.opening = event.end
        self.end = end
        self.line = event.line
        self.column = event.column
    }

    /// What an alias stands for, or the node itself.
    var resolved: SourceNode {
        target ?? self
    }

    var entries: [Entry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    var items: [SourceNode]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    /// The text of a scalar.
    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    /// A scalar without quotes.
    var isPlain: Bool {
        if case .scalar(_, true) = content { true } else { false }
    }

    /// Nothing, `~` or `null`, without quotes, and without a tag by which it is text.
    var isNull: Bool {
        guard case .scalar(let text, true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text) && (tag == nil || tag == "tag:yaml.org,2002:null")
    }

    /// Whether no tag, or one that has no effect on text, makes it something else.
    var hasTextTag: Bool { tag == nil || tag == "!" || tag == "tag:yaml.org,2002:str" }

    /// Whether it stands for other text than it has.
    var isBinary: Bool { tag == "tag:yaml.org,2002:binary" }

    /// Whether it or anything in it has an anchor that an alias names.
    func hasAnchor(of aliased: Set<String>) -> Bool {
        if let anchor, aliased.contains(anchor) { return true }
        return switch content {
        case .scalar, .alias: false
        case .sequence(let items): items.contains { $0.hasAnchor(of: aliased) }
        case .mapping(let entries):
            entries.contains { $0.key.hasAnchor(of: aliased) || $0.value.hasAnchor(of: aliased) }
        }
    }

    /// Null, `{}` or `[]`.
    var isEmpty: Bool { isNull || entries?.isEmpty == true || items?.isEmpty == true }

    /// The value of a key as it is written: an alias is not expanded.
    func written(_ name: String) -> SourceNode? { entries?.first { $0.key.text == name }?.value }

    /// The value of a key, aliases expanded; nil where it is absent, null or not here a mapping. Of a key that is there
    /// twice the first.
    func value(_ name: String) -> SourceNode? {
        let found = resolved.entries?.first { $0.key.text == name }?.value.resolved
        return found?.isNull == true ? nil : found
    }
}
