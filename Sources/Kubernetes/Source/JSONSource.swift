/// JSON that is read as YAML.
enum JSONSource {
    /// Whether a text may be JSON: its first character is a brace.
    static func isLikely(_ text: [UInt8]) -> Bool {
        let blanks: [UInt8] = [.space, .newline, .carriageReturn, UInt8(ascii: "\t")]
        return text.first { !blanks.contains($0) } == UInt8(ascii: "{")
    }

    /// The same text for a reader of YAML.
    ///
    /// JSON's strings may have characters as they are that YAML's may not, or that are line breaks there: these are
    /// escaped. Of an escaped pair of surrogates, which YAML does not know, one escape is made.
    static func readable(_ json: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(json.count)
        var index = 0
        while index < json.count {
            let byte = json[index]
            if byte == backslash {
                let escape = surrogates(json[index..<min(index + 12, json.count)])
                // Behind a backslash is what it escapes, and no other escape begins there.
                let count = escape == nil ? min(2, json.count - index) : 12
                text += escape ?? Array(json[index..<index + count])
                index += count
                continue
            }
            let isRare = byte >= 0x7F && [0x7F, 0xC2, 0xE2, 0xEF].contains(byte)
            if isRare, let (escape, count) = escape(json[index..<min(index + 3, json.count)]) {
                text += escape.utf8
                index += count
            } else {
                text.append(byte)
                index += 1
            }
        }
        return text
    }

    /// `\U0001f600` for `\ud83d\ude00`.
    private static func surrogates(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.count == 12, let high = unit(bytes.prefix(6)), let low = unit(bytes.suffix(6)),
            0xD800...0xDBFF ~= high, 0xDC00...0xDFFF ~= low
        else { return nil }
        let digits = String(0x1_0000 + (high - 0xD800) << 10 + (low - 0xDC00), radix: 16)
        return Array("\\U\(String(repeating: "0", count: 8 - digits.count))\(digits)".utf8)
    }

    /// The code unit of `\uXXXX`.
    private static func unit(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        guard bytes.starts(with: [backslash, UInt8(ascii: "u")]) else { return nil }
        let digits = String(decoding: bytes.dropFirst(2), as: UTF8.self)
        return digits.allSatisfy(\.isHexDigit) ? UInt32(digits, radix: 16) : nil
    }

    private static func escape(_ bytes: ArraySlice<UInt8>) -> (String, Int)? {
        let next = bytes.dropFirst()
        switch bytes.first {
        case 0x7F: return ("\\u007f", 1)
        case 0xC2:
            guard let second = next.first, second < 0xA0 else { return nil }
            return ("\\u00" + String(second, radix: 16), 2)
        // Line and paragraph separators.
        case 0xE2:
            guard next.starts(with: [0x80]), let third = bytes.last, 0xA8...0xA9 ~= third, bytes.count == 3 else {
                return nil
            }
            return ("\\u20" + String(third - 0x80, radix: 16), 3)
        case 0xEF:
            if next.starts(with: [0xBB, 0xBF]) { return ("\\ufeff", 3) }
            if next.starts(with: [0xBF, 0xBE]) { return ("\\ufffe", 3) }
            return next.starts(with: [0xBF, 0xBF]) ? ("\\uffff", 3) : nil
        default: return nil
        }
    }

    private static let backslash = UInt8(ascii: "\\")
}
