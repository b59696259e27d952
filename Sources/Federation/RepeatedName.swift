/// Finds members of one name in one object of a JSON text, which RFC 8259, section 4, leaves without a meaning.
struct RepeatedName {
    /// The names of each object that is open, the innermost last; nil for an array.
    private var open: [Set<[UInt16]>?] = []
    /// Whether the next string of an object is a name.
    private var expectsName = false

    /// The first name that an object repeats; nil if none does.
    ///
    /// - Parameter text: valid JSON.
    static func first(in text: [UInt8]) -> String? {
        var scanner = RepeatedName()
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "\"") {
                let (units, end) = string(text, from: index + 1)
                if scanner.repeats(units) { return String(decoding: units, as: UTF16.self) }
                index = end
            } else {
                scanner.pass(text[index])
                index += 1
            }
        }
        return nil
    }

    private mutating func pass(_ character: UInt8) {
        switch character {
        case UInt8(ascii: "{"):
            open.append([])
            expectsName = true
        case UInt8(ascii: "["):
            open.append(nil)
            expectsName = false
        case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
        case UInt8(ascii: ","): expectsName = open.last.map { $0 != nil } ?? false
        default: break
        }
    }

    /// Whether this string is a name that its object has already.
    private mutating func repeats(_ units: [UInt16]) -> Bool {
        guard expectsName, let names = open.last, names != nil else { return false }
        expectsName = false
        return open[open.count - 1]?.insert(units).inserted == false
    }

    /// The string that starts at `start`, its escapes resolved, and the index behind it.
    private static func string(_ text: [UInt8], from start: Int) -> (units: [UInt16], end: Int) {
        var units: [UInt16] = []
        var plain: [UInt8] = []
        var index = start
        while index < text.count, text[index] != UInt8(ascii: "\"") {
            guard text[index] == UInt8(ascii: "\\"), index + 1 < text.count else {
                plain.append(text[index])
                index += 1
                continue
            }
            units += String(decoding: plain, as: UTF8.self).utf16
            plain = []
            let character = text[index + 1]
            index += 2
            guard character == UInt8(ascii: "u") else {
                units.append(escaped(character))
                continue
            }
            let digits = text[index...].prefix(4)
            units.append(UInt16(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0)
            index += digits.count
        }
        return (units + String(decoding: plain, as: UTF8.self).utf16, index + 1)
    }

    private static func escaped(_ character: UInt8) -> UInt16 {
        switch character {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: UInt16(character)
        }
    }
}
