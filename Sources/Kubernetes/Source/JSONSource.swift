/// JSON that is read as YAML.
enum JSONSource {
    /// A text of JSON or YAML for a reader of YAML.
    ///
    /// JSON's strings may have characters as they are that YAML's may not, or that are line breaks there: these are
    /// escaped. For pairs of surrogates see ``SurrogatePairs``.
    ///
    /// What is no JSON stays as it is: in YAML these characters end comments, and what is a string there is not known
    /// here.
    static func readable(_ text: [UInt8]) -> [UInt8] {
        var readable: [UInt8] = []
        readable.reserveCapacity(text.count)
        var next = 0
        for string in JSONGrammar.strings(of: text) where needsEscapes(text[string]) {
            readable += text[next..<string.lowerBound]
            append(text[string], to: &readable)
            next = string.upperBound
        }
        return readable + text[next...]
    }

    private static func needsEscapes(_ string: ArraySlice<UInt8>) -> Bool {
        string.contains(where: isRare)
    }

    private static func isRare(_ byte: UInt8) -> Bool { byte >= 0x7F && [0x7F, 0xC2, 0xE2, 0xEF].contains(byte) }

    private static func append(_ string: ArraySlice<UInt8>, to text: inout [UInt8]) {
        var index = string.startIndex
        while index < string.endIndex {
            let byte = string[index]
            if byte == backslash {
                // Behind a backslash is what it escapes.
                let count = min(2, string.endIndex - index)
                text += string[index..<index + count]
                index += count
                continue
            }
            if isRare(byte), let (escape, count) = escape(string[index..<min(index + 3, string.endIndex)]) {
                text += escape.utf8
                index += count
            } else {
                text.append(byte)
                index += 1
            }
        }
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
