import Telemetry

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
            [moment.month, moment.day, moment.hour, moment.minute, moment.second]
            .map { CivilTime.padded($0, 2) }.joined() + "Z"
        return (1950...2049).contains(moment.year)
            ? element(0x17, Array((CivilTime.padded(moment.year % 100, 2) + rest).utf8))
            : element(0x18, Array((CivilTime.padded(moment.year, 4) + rest).utf8))
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
