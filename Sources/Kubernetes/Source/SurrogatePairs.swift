/// The escapes that JSON has for characters beyond U+FFFF, which YAML does not have: two surrogates each, such as
/// `\ud83d\ude00` (RFC 8259 section 7).
struct SurrogatePairs {
    /// Where they are, in ascending order.
    let places: [Range<Int>]
    /// The text with the characters in the place of their escapes.
    let decoded: [UInt8]

    /// Nil if no string of JSON has any. A surrogate alone is no character, and stays.
    init?(in text: [UInt8]) {
        var places: [Range<Int>] = []
        var decoded: [UInt8] = []
        var copied = 0
        for string in JSONGrammar.strings(of: text) {
            var index = string.lowerBound
            while let backslash = text[index..<string.upperBound].firstIndex(of: UInt8(ascii: "\\")) {
                // Whatever is escaped, it is no backslash that begins another escape.
                index = min(backslash + 2, string.upperBound)
                guard let scalar = Self.character(text[backslash..<string.upperBound].prefix(Self.bytes)) else {
                    continue
                }
                index = backslash + Self.bytes
                places.append(backslash..<index)
                decoded += text[copied..<backslash]
                decoded += String(Character(scalar)).utf8
                copied = index
            }
        }
        guard !places.isEmpty else { return nil }
        self.places = places
        self.decoded = decoded + text[copied...]
    }

    private static func character(_ escapes: ArraySlice<UInt8>) -> Unicode.Scalar? {
        guard escapes.count == bytes, let high = unit(escapes.prefix(6)), let low = unit(escapes.suffix(6)),
            0xD800...0xDBFF ~= high, 0xDC00...0xDFFF ~= low
        else { return nil }
        return Unicode.Scalar(0x1_0000 + (high - 0xD800) << 10 + (low - 0xDC00))
    }

    /// The code unit of `\uXXXX`.
    private static func unit(_ escape: ArraySlice<UInt8>) -> UInt32? {
        guard escape.starts(with: "\\u".utf8) else { return nil }
        let digits = String(decoding: escape.dropFirst(2), as: UTF8.self)
        return digits.allSatisfy(\.isHexDigit) ? UInt32(digits, radix: 16) : nil
    }

    private static let bytes = 12
}
