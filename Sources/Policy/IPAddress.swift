/// An IPv4 or IPv6 address, in host byte order; an IPv4-mapped IPv6 address is the IPv4 address.
public enum IPAddress: Hashable, Sendable {
    case v4(UInt32)
    case v6(UInt64, UInt64)

    /// The address of 16 bytes, an IPv4-mapped one (`::ffff:0:0/96`) folded to IPv4.
    public init(high: UInt64, low: UInt64) {
        self = high == 0 && low >> 32 == 0xFFFF ? .v4(UInt32(truncatingIfNeeded: low)) : .v6(high, low)
    }

    /// 127.0.0.0/8 or ::1: no other host reaches it.
    public var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && (low == 1 || low >> 24 == 0xFFFF_7F)
        }
    }

    /// Parses `192.0.2.1` or any text form of RFC 4291 2.2, without brackets or zone; nil if it is neither.
    public init?(parsing text: String) {
        let utf8 = text.utf8
        var reader = AddressReader(utf8.span)
        guard let address = reader.address(), reader.isAtEnd else { return nil }
        self = address
    }

    /// The same address with IPv4-mapped IPv6 folded to IPv4.
    public var folded: IPAddress {
        switch self {
        case .v4: self
        case .v6(let high, let low): IPAddress(high: high, low: low)
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text (RFC 5952 for IPv6): lower case, the longest run of zeros as `::`.
    public var description: String {
        switch self {
        case .v4(let bits):
            return "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
        case .v6(let high, let low):
            let groups = Self.groups(high) + Self.groups(low)
            let zeros = Self.longestZeros(groups)
            guard zeros.count > 1 else { return Self.joined(groups[...]) }
            return Self.joined(groups[..<zeros.lowerBound]) + "::" + Self.joined(groups[zeros.upperBound...])
        }
    }

    private static func groups(_ half: UInt64) -> [UInt16] {
        [48, 32, 16, 0].map { UInt16(truncatingIfNeeded: half >> UInt64($0)) }
    }

    private static func joined(_ groups: ArraySlice<UInt16>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The first of the longest runs of zero groups (RFC 5952 4.2.3).
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int> {
        var longest = 0..<0
        var start = 0
        for index in groups.indices {
            if groups[index] != 0 {
                start = index + 1
            } else if index + 1 - start > longest.count {
                longest = start..<index + 1
            }
        }
        return longest
    }
}
