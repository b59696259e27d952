/// The bytes of a file, and its lines.
struct SourceText {
    let bytes: [UInt8]
    let file: String
    /// Where each line begins: thousands of pods may stand on one long line, whose ends must not be sought each time.
    private let lineStarts: [UInt32]
    /// How many more keys may be looked at behind merge keys: thousands of pods could merge thousands of keys each.
    let merges = Allowance(10_000_000)

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        var starts: [UInt32] = [0]
        for (offset, byte) in bytes.enumerated() where byte == .newline { starts.append(UInt32(offset + 1)) }
        lineStarts = starts
    }

    /// Where the line of an offset begins.
    func lineStart(_ offset: Int) -> Int { Int(lineStarts[line(of: offset)]) }

    /// Where the next line begins, or the end of the text.
    func lineEnd(_ offset: Int) -> Int {
        let next = line(of: offset) + 1
        return next < lineStarts.count ? Int(lineStarts[next]) : bytes.count
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

    /// The number of an offset's line, counted from 0.
    private func line(of offset: Int) -> Int {
        var (low, high) = (0, lineStarts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return low
    }
}

extension UInt8 {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let dash = UInt8(ascii: "-")
}

/// Work that may still be done.
final class Allowance {
    private var left: Int

    init(_ count: Int) { left = count }

    /// False if that is more than is left.
    func take(_ count: Int) -> Bool {
        guard count <= left else { return false }
        left -= count
        return true
    }
}
