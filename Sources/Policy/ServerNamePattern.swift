/// A pattern of TLS server names (SNI, RFC 6066 3): `orders.internal`, or `*.internal` for one label or more before
/// `.internal`. Matching ignores case.
public struct ServerNamePattern: Hashable, Sendable {
    /// The pattern in lower case.
    public let description: String

    /// Parses labels of `[a-zA-Z0-9-_]` joined by dots, of which the first may be `*` and the last is no number.
    public init(parsing text: String) throws(ServerNamePatternFlaw) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLong(bytes: text.utf8.count) }
        guard text != "*" else { throw .anyName }
        guard !text.hasSuffix(".") || text == "." else { throw .trailingDot(suggestion: String(text.dropLast())) }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        for (index, label) in labels.enumerated() where !(index == 0 && label == "*") {
            guard !label.contains("*") else { throw .partialLabel(String(label)) }
            guard (1...63).contains(label.utf8.count), label.utf8.allSatisfy(Self.isAllowed) else {
                throw .label(String(label))
            }
        }
        // The same grammar as that of the names TLS accepts: see ServerName in the TLS module.
        if let last = labels.last, last.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            throw .numericEnd(String(last))
        }
        description = text.lowercased()
    }

    /// Whether the pattern matches a name that a client sent, ignoring one trailing dot; allocates nothing.
    public func matches(_ serverName: borrowing String) -> Bool {
        let nameUTF8 = serverName.utf8
        let patternUTF8 = description.utf8
        let pattern = patternUTF8.span
        var name = nameUTF8.span
        if name.count > 1, name[name.count - 1] == Self.dot { name = name.extracting(droppingLast: 1) }
        guard isWild else { return name.count == pattern.count && Self.equal(name, pattern) }
        let suffix = pattern.extracting(droppingFirst: 1)
        guard name.count > suffix.count, name[0] != Self.dot else { return false }
        return Self.equal(name.extracting(last: suffix.count), suffix)
    }

    /// Whether this pattern matches every name that `other` matches.
    public func covers(_ other: ServerNamePattern) -> Bool {
        guard isWild, other.isWild else { return self == other || matches(other.description) }
        return other.description.hasSuffix(description.dropFirst())
    }

    private var isWild: Bool { description.utf8.first == UInt8(ascii: "*") }

    /// Whether a name equals a lower-case pattern of the same length, ignoring case.
    private static func equal(_ name: Span<UInt8>, _ pattern: Span<UInt8>) -> Bool {
        for index in 0..<pattern.count where lowered(name[index]) != pattern[index] { return false }
        return true
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch lowered(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static let dot = UInt8(ascii: ".")
    /// RFC 1035 2.3.4, without the root's empty label.
    private static let maximumBytes = 253
}

extension ServerNamePattern: CustomStringConvertible {}
