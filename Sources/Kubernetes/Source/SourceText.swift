/// The bytes of a file, and its lines.
struct SourceText {
    let bytes: [UInt8]
    let file: String

    /// Where the line of an offset begins.
    func lineStart(_ offset: Int) -> Int {
        var start = offset
        while start > 0, bytes[start - 1] != .newline { start -= 1 }
        return start
    }

    /// Where the next line begins, or the end of the text.
    func lineEnd(_ offset: Int) -> Int {
        var end = offset
        while end < bytes.count {
            end += 1
            if bytes[end - 1] == .newline { return end }
        }
        return end
    }

    /// Where the line ends on which a value ends. A block scalar ends where the next line begins.
    func lineEnd(after end: Int) -> Int { isLineStart(end) ? end : lineEnd(end) }

    func isLineStart(_ offset: Int) -> Bool { offset == 0 || bytes[offset - 1] == .newline }

    /// Whether nothing but spaces is before it on its line.
    func isFirstOnLine(_ offset: Int) -> Bool {
        bytes[lineStart(offset)..<offset].allSatisfy { $0 == .space }
    }

    /// How the line of an offset ends; the last line as the one before it.
    func lineBreak(_ offset: Int) -> String {
        var end = lineEnd(offset)
        if end == bytes.count, bytes.last != .newline { end = lineStart(offset) }
        if end == 0 { end = lineEnd(0) }
        return end >= 2 && bytes[end - 1] == .newline && bytes[end - 2] == .carriageReturn ? "\r\n" : "\n"
    }

    func hasPrefix(_ text: String, at offset: Int) -> Bool { bytes[offset...].starts(with: text.utf8) }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    func byte(_ offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let dash = UInt8(ascii: "-")
}
