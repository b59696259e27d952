public import Identity

/// A pattern of SPIFFE IDs: `spiffe://example.org/ns/*/sa/checkout`.
///
/// `*` is exactly one path segment; `**`, as the last segment only, is one or more. The trust domain is literal, or `*`
/// alone for any. A wildcard never covers part of a segment, so matching takes one pass.
public struct IdentityPattern: Hashable, Sendable {
    /// The pattern as written.
    public let description: String

    public init(parsing text: String) throws(IdentityPatternFlaw) {
        // With each star replaced by a letter, a pattern has the grammar of an ID, and flaws keep their offsets.
        let literal = text.utf8.contains(Self.star) ? String(text.map { $0 == "*" ? "x" : $0 }) : text
        do { _ = try SPIFFEID(parsing: literal) } catch { throw .notASPIFFEID(error) }
        let parts = text.dropFirst(Self.schemeBytes).split(separator: "/")
        try Self.checkTrustDomain(parts[0])
        guard parts.count > 1 else { throw .noPath(suggestion: text + "/**") }
        for index in parts.indices.dropFirst() {
            try Self.checkSegment(parts[index], isLast: index == parts.count - 1)
        }
        description = text
    }

    /// Whether it matches every ID of every trust domain.
    public var matchesEveryone: Bool { description == "spiffe://*/**" }

    /// Whether the pattern matches the ID; allocates nothing.
    public func matches(_ identity: borrowing SPIFFEID) -> Bool {
        covers(identity.description)
    }

    /// Whether this pattern matches every ID that `other` matches.
    public func covers(_ other: IdentityPattern) -> Bool {
        covers(other.description)
    }

    /// The pattern up to its first star: `spiffe://example.org/ns/`; all of it if there is none.
    var literalPrefix: String {
        String(description.prefix { $0 != "*" })
    }

    /// Whether the pattern covers a text, which is an ID or itself a pattern: IDs have no stars, and stars
    /// begin segments only, so one walk serves both.
    private func covers(_ text: String) -> Bool {
        let patternUTF8 = description.utf8
        let textUTF8 = text.utf8
        let pattern = patternUTF8.span
        let text = textUTF8.span
        var position = Self.schemeBytes
        var index = Self.schemeBytes
        while index < pattern.count {
            guard position < text.count else { return false }
            if pattern[index] != Self.star {
                guard pattern[index] == text[position] else { return false }
                position += 1
            } else if Self.isDoubleStar(pattern, at: index) {
                return true
            } else {
                guard !Self.isDoubleStar(text, at: position) else { return false }
                while position < text.count, text[position] != Self.slash { position += 1 }
            }
            index += 1
        }
        return position == text.count
    }

    private static func isDoubleStar(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index] == star && bytes[index + 1] == star
    }

    private static func checkTrustDomain(_ text: Substring) throws(IdentityPatternFlaw) {
        guard text == "*" || !text.contains("*") else { throw .partialTrustDomain(String(text)) }
    }

    private static func checkSegment(_ text: Substring, isLast: Bool) throws(IdentityPatternFlaw) {
        guard text != "**" || isLast else { throw .doubleStarNotLast }
        guard text == "*" || text == "**" || !text.contains("*") else { throw .partialSegment(String(text)) }
    }

    private static let star = UInt8(ascii: "*")
    private static let slash = UInt8(ascii: "/")
    /// `spiffe://`
    private static let schemeBytes = 9
}

extension IdentityPattern: CustomStringConvertible {}
