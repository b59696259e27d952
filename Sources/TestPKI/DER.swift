/// Writes DER (X.690): each function returns one whole element.
enum DER {
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        [tag] + length(content.count) + content
    }

    static func sequence(_ elements: [UInt8]...) -> [UInt8] {
        element(0x30, elements.flatMap(\.self))
    }

    static func set(_ elements: [UInt8]...) -> [UInt8] {
        element(0x31, elements.flatMap(\.self))
    }

    /// A context-specific, constructed element: `[number] EXPLICIT`.
    static func explicit(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
        element(0xA0 | number, content)
    }

    static func boolean(_ value: Bool) -> [UInt8] {
        element(0x01, [value ? 0xFF : 0x00])
    }

    /// A non-negative INTEGER of big-endian bytes.
    static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        var bytes = Array(magnitude.drop { $0 == 0 })
        if bytes.isEmpty || bytes[0] >= 0x80 { bytes.insert(0, at: 0) }
        return element(0x02, bytes)
    }

    static func integer(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = UInt(value)
        while rest > 0 {
            bytes.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return integer(bytes)
    }

    static func octetString(_ content: [UInt8]) -> [UInt8] { element(0x04, content) }

    /// A BIT STRING of whole bytes.
    static func bitString(_ content: [UInt8]) -> [UInt8] { element(0x03, [0] + content) }

    /// A named bit list: bit 0 is the highest of the first byte, trailing zero bits are left out (X.690, 11.2.2).
    static func namedBits(_ bits: [Int]) -> [UInt8] {
        guard let highest = bits.max() else { return element(0x03, [0]) }
        var content = [UInt8](repeating: 0, count: highest / 8 + 1)
        for bit in bits { content[bit / 8] |= 0x80 >> UInt8(bit % 8) }
        return element(0x03, [UInt8(7 - highest % 8)] + content)
    }

    static func utf8String(_ text: String) -> [UInt8] { element(0x0C, Array(text.utf8)) }

    static func objectIdentifier(_ arcs: [UInt]) -> [UInt8] {
        var content = base128(arcs[0] * 40 + arcs[1])
        for arc in arcs.dropFirst(2) { content += base128(arc) }
        return element(0x06, content)
    }

    /// A Time (RFC 5280, 4.1.2.5): UTCTime for the years 1950 to 2049, GeneralizedTime for the others.
    static func time(unixSeconds: Int64) -> [UInt8] {
        let moment = CivilTime(unixSeconds: unixSeconds)
        let rest =
            moment.digits(moment.month, 2) + moment.digits(moment.day, 2) + moment.digits(moment.hour, 2)
            + moment.digits(moment.minute, 2) + moment.digits(moment.second, 2) + "Z"
        return (1950...2049).contains(moment.year)
            ? element(0x17, Array((moment.digits(moment.year % 100, 2) + rest).utf8))
            : element(0x18, Array((moment.digits(moment.year, 4) + rest).utf8))
    }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        var bytes: [UInt8] = []
        var rest = count
        while rest > 0 {
            bytes.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(bytes.count)] + bytes
    }

    private static func base128(_ value: UInt) -> [UInt8] {
        var bytes = [UInt8(value & 0x7F)]
        var rest = value >> 7
        while rest > 0 {
            bytes.insert(UInt8(rest & 0x7F) | 0x80, at: 0)
            rest >>= 7
        }
        return bytes
    }
}

/// A moment of the proleptic Gregorian calendar in UTC.
struct CivilTime {
    let year, month, day, hour, minute, second: Int

    init(unixSeconds: Int64) {
        let days = Int((Double(unixSeconds) / 86_400).rounded(.down))
        let ofDay = Int(unixSeconds) - days * 86_400
        // Days are counted from 0000-03-01, so that the leap day ends a year (Howard Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = ofDay / 3_600
        minute = ofDay / 60 % 60
        second = ofDay % 60
    }

    func digits(_ value: Int, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}
