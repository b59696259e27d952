/// The members of one JSON object (RFC 8259) that are text, such as a line of the access log. Members with other values
/// are passed over, and so is what is inside them.
public struct JSONFields: Sendable {
    private var texts: [String: String] = [:]

    /// Nil if the text is no object, or has bytes after it.
    public init?(_ line: Span<UInt8>) {
        var reader = JSONFieldReader(line)
        guard let texts = reader.object(depth: 0), reader.isAtEnd else { return nil }
        self.texts = texts
    }

    public subscript(_ name: String) -> String? { texts[name] }
}

private struct JSONFieldReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var place = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return place == bytes.count
        }
    }

    /// Of the members, those that are text; of a name that comes twice the last one.
    @_lifetime(self: copy self)
    mutating func object(depth: Int) -> [String: String]? {
        guard depth < Self.depthAtMost, take("{") else { return nil }
        var texts: [String: String] = [:]
        if take("}") { return texts }
        repeat {
            guard let name = string(), take(":") else { return nil }
            skipSpace()
            if place < bytes.count, bytes[place] == UInt8(ascii: "\"") {
                guard let text = string() else { return nil }
                texts[name] = text
            } else {
                guard skipValue(depth: depth + 1) else { return nil }
                texts[name] = nil
            }
        } while take(",")
        return take("}") ? texts : nil
    }

    @_lifetime(self: copy self)
    private mutating func skipValue(depth: Int) -> Bool {
        guard depth < Self.depthAtMost else { return false }
        skipSpace()
        guard place < bytes.count else { return false }
        switch bytes[place] {
        case UInt8(ascii: "{"): return object(depth: depth) != nil
        case UInt8(ascii: "["):
            place += 1
            if take("]") { return true }
            repeat {
                guard skipValue(depth: depth + 1) else { return false }
            } while take(",")
            return take("]")
        case UInt8(ascii: "\""): return string() != nil
        default:
            let start = place
            while place < bytes.count, Self.isOfWord(bytes[place]) { place += 1 }
            return place > start
        }
    }

    @_lifetime(self: copy self)
    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case 0..<0x20: return nil
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                text += Array(String(scalar).utf8)
            default: text.append(byte)
            }
        }
        return nil
    }

    /// What follows a backslash.
    @_lifetime(self: copy self)
    private mutating func escape() -> Unicode.Scalar? {
        guard place < bytes.count else { return nil }
        let byte = bytes[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"):
            guard let first = unit() else { return nil }
            guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(first) }
            guard takeExactly("\\"), takeExactly("u"), let second = unit(), (0xDC00...0xDFFF).contains(second) else {
                return nil
            }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        default: return nil
        }
    }

    @_lifetime(self: copy self)
    private mutating func unit() -> UInt32? {
        guard place + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[place])).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
            place += 1
        }
        return unit
    }

    /// Takes a character, after any space.
    @_lifetime(self: copy self)
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        return takeExactly(character)
    }

    @_lifetime(self: copy self)
    private mutating func takeExactly(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    @_lifetime(self: copy self)
    private mutating func skipSpace() {
        while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
    }

    private static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static let depthAtMost = 32
}
