/// Writes JSON (RFC 8259) into bytes: what comes out is valid, on one line, and safe to show on a terminal.
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8]
    private var needsComma = false

    public init(bytes: consuming [UInt8] = []) { self.bytes = bytes }

    /// The text so far.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func beginObject(_ key: String? = nil) { open(key, "{") }
    public mutating func endObject() { close("}") }
    public mutating func beginArray(_ key: String? = nil) { open(key, "[") }
    public mutating func endArray() { close("]") }

    /// A member; nothing is written when the value is absent. Texts longer than `limit` bytes are cut and end in `...`.
    public mutating func field(_ key: String, _ value: String?, limit: Int = .max) {
        guard let value else { return }
        member(key)
        string(value, limit: limit)
    }

    public mutating func field(_ key: String, _ value: Bool?) {
        guard let value else { return }
        member(key)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func field(_ key: String, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        member(key)
        bytes.append(contentsOf: String(value).utf8)
    }

    /// A member in milliseconds with three decimals, from nanoseconds: `1.250`.
    public mutating func field(_ key: String, millisecondsOf nanoseconds: Int64?) {
        guard let nanoseconds else { return }
        member(key)
        let microseconds = Int(max(0, nanoseconds) / 1_000)
        bytes.append(contentsOf: "\(microseconds / 1_000).\(CivilTime.padded(microseconds % 1_000, 3))".utf8)
    }

    /// A member with a fixed number of decimals, from units of the last one: 1250 with 3 decimals is `1.250`.
    public mutating func field(_ key: String, _ units: Int64, decimals: Int) {
        member(key)
        var one: UInt64 = 1
        for _ in 0..<decimals { one *= 10 }
        let (whole, part) = units.magnitude.quotientAndRemainder(dividingBy: one)
        let fraction = decimals > 0 ? "." + CivilTime.padded(Int(part), decimals) : ""
        bytes.append(contentsOf: "\(units < 0 ? "-" : "")\(whole)\(fraction)".utf8)
    }

    /// A member that is `null`.
    public mutating func null(_ key: String) {
        member(key)
        bytes.append(contentsOf: "null".utf8)
    }

    /// An element of an array.
    public mutating func element(_ value: String, limit: Int = .max) {
        separate()
        string(value, limit: limit)
    }

    /// Ends the line: the next value begins a document of its own.
    public mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    private mutating func open(_ key: String?, _ bracket: Unicode.Scalar) {
        if let key { member(key) } else { separate() }
        bytes.append(UInt8(ascii: bracket))
        needsComma = false
    }

    private mutating func close(_ bracket: Unicode.Scalar) {
        bytes.append(UInt8(ascii: bracket))
        needsComma = true
    }

    private mutating func member(_ key: String) {
        separate()
        string(key, limit: .max)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func string(_ value: String, limit: Int) {
        bytes.append(UInt8(ascii: "\""))
        if value.utf8.count <= limit {
            for scalar in value.unicodeScalars { append(scalar) }
        } else {
            var room = limit
            for scalar in value.unicodeScalars {
                room -= UTF8.width(scalar)
                if room < 0 { break }
                append(scalar)
            }
            bytes.append(contentsOf: "...".utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes.append(contentsOf: "\\\"".utf8)
        case "\\": bytes.append(contentsOf: "\\\\".utf8)
        case "\n": bytes.append(contentsOf: "\\n".utf8)
        case "\r": bytes.append(contentsOf: "\\r".utf8)
        case "\t": bytes.append(contentsOf: "\\t".utf8)
        // Terminals interpret the control characters of ASCII and Latin-1, and some readers end a line at U+2028 or
        // U+2029.
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
            let hex = String(scalar.value, radix: 16)
            bytes.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - hex.utf8.count))\(hex)".utf8)
        default: bytes.append(contentsOf: UTF8.encode(scalar)!)
        }
    }
}
