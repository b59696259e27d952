/// Reads the text of an IP address (RFC 4291 2.2, RFC 6943 3.1.1's strict form of IPv4), byte by byte.
struct AddressReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    /// An address of either family; nil leaves the position undefined.
    @_lifetime(self: copy self)
    mutating func address() -> IPAddress? {
        for index in 0..<bytes.count where bytes[index] == UInt8(ascii: ":") { return v6() }
        return v4().map { .v4($0) }
    }

    /// Four decimal numbers of 0 to 255, none with a leading zero.
    @_lifetime(self: copy self)
    private mutating func v4() -> UInt32? {
        guard var bits = octet() else { return nil }
        for _ in 0..<3 {
            guard skip(UInt8(ascii: ".")), let next = octet() else { return nil }
            bits = bits << 8 | next
        }
        return bits
    }

    @_lifetime(self: copy self)
    private mutating func octet() -> UInt32? {
        let start = position
        var value: UInt32 = 0
        while position < bytes.count, position < start + 3, let digit = Self.digit(bytes[position]), digit < 10 {
            value = value * 10 + digit
            position += 1
        }
        let digits = position - start
        guard digits > 0, digits == 1 || bytes[start] != UInt8(ascii: "0"), value <= 255 else { return nil }
        return value
    }

    /// Eight groups; `::` once, for one group of zeros or more; the last two groups may be an IPv4 address.
    @_lifetime(self: copy self)
    private mutating func v6() -> IPAddress? {
        var groups: [8 of UInt64] = .init(repeating: 0)
        var count = 0
        var gap: Int?
        if skip(UInt8(ascii: ":")) {
            guard skip(UInt8(ascii: ":")) else { return nil }
            gap = 0
        }
        while !isAtEnd {
            guard count < 8 else { return nil }
            if startsV4 {
                guard count <= 6, let bits = v4() else { return nil }
                groups[count] = UInt64(bits >> 16)
                groups[count + 1] = UInt64(bits & 0xFFFF)
                count += 2
                break
            }
            guard let group = group() else { return nil }
            groups[count] = group
            count += 1
            guard !isAtEnd else { break }
            guard skip(UInt8(ascii: ":")) else { return nil }
            if skip(UInt8(ascii: ":")) {
                guard gap == nil else { return nil }
                gap = count
            } else if isAtEnd {
                return nil
            }
        }
        guard gap == nil ? count == 8 : count < 8 else { return nil }
        return Self.address(of: groups, count: count, gap: gap ?? 8)
    }

    /// One to four hexadecimal digits.
    @_lifetime(self: copy self)
    private mutating func group() -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, position < start + 4, let digit = Self.digit(bytes[position]) {
            value = value << 4 | UInt64(digit)
            position += 1
        }
        return position > start ? value : nil
    }

    /// Whether a dot comes before the next colon.
    private var startsV4: Bool {
        for index in position..<bytes.count {
            if bytes[index] == UInt8(ascii: ".") { return true }
            if bytes[index] == UInt8(ascii: ":") { return false }
        }
        return false
    }

    @_lifetime(self: copy self)
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// The address whose groups from `gap` on belong at its end.
    private static func address(of groups: [8 of UInt64], count: Int, gap: Int) -> IPAddress {
        var halves: [2 of UInt64] = .init(repeating: 0)
        for index in 0..<count {
            let place = index < gap ? index : index + 8 - count
            halves[place / 4] |= groups[index] << UInt64(16 * (3 - place % 4))
        }
        return IPAddress(high: halves[0], low: halves[1])
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
