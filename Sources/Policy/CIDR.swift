/// A block of addresses: all whose first `prefixLength` bits are those of `network`.
///
/// A block within `::ffff:0:0/96` is a block of IPv4 addresses; any other IPv6 block holds IPv6 addresses only.
public struct CIDR: Hashable, Sendable {
    public let network: IPAddress
    public let prefixLength: Int

    /// Parses `10.0.0.0/8`, `2001:db8::/32`, or a single address; bits after the prefix must be zero.
    public init(parsing text: String) throws(CIDRFlaw) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(parsing: String(parts[0])) else { throw .notAnAddress }
        // The prefix counts the bits of the family as written, so that `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
        let writtenAsV6 = parts[0].utf8.contains(UInt8(ascii: ":"))
        let writtenBits = writtenAsV6 ? 128 : 32
        var prefixLength = writtenBits
        if parts.count == 2 {
            guard let number = Self.prefixLength(parts[1], atMost: writtenBits) else {
                throw .prefixLength(atMost: writtenBits)
            }
            prefixLength = number
        }
        self = try Self.block(address, prefixLength: prefixLength, writtenAsV6: writtenAsV6)
    }

    private init(network: IPAddress, prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    public func contains(_ address: IPAddress) -> Bool {
        switch (network, address.folded) {
        case (.v4(let network), .v4(let bits)):
            (network ^ bits) >> UInt32(32 - prefixLength) == 0
        case (.v6(let high, let low), .v6(let otherHigh, let otherLow)):
            (high ^ otherHigh) >> UInt64(max(0, 64 - prefixLength)) == 0
                && (low ^ otherLow) >> UInt64(min(64, 128 - prefixLength)) == 0
        case (.v4, .v6), (.v6, .v4):
            false
        }
    }

    /// Whether every address of `other` is in this block.
    public func contains(_ other: CIDR) -> Bool {
        prefixLength <= other.prefixLength && contains(other.network)
    }

    private static func prefixLength(_ text: Substring, atMost limit: Int) -> Int? {
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            text == "0" || text.utf8.first != UInt8(ascii: "0"), let number = Int(text), number <= limit
        else { return nil }
        return number
    }

    private static func block(
        _ address: IPAddress, prefixLength: Int, writtenAsV6: Bool
    ) throws(CIDRFlaw) -> CIDR {
        var address = address
        var prefixLength = prefixLength
        if writtenAsV6, case .v4(let bits) = address {
            if prefixLength >= 96 {
                prefixLength -= 96
            } else {
                address = .v6(0, 0xFFFF_0000_0000 | UInt64(bits))
            }
        }
        let network = address.masked(to: prefixLength)
        guard network == address else {
            throw .hostBits(suggestion: CIDR(network: network, prefixLength: prefixLength).description)
        }
        return CIDR(network: network, prefixLength: prefixLength)
    }
}

extension CIDR: CustomStringConvertible {
    public var description: String { "\(network)/\(prefixLength)" }
}

extension IPAddress {
    /// The address with all bits after the first `length` cleared.
    fileprivate func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let bits):
            .v4(bits & ~(UInt32.max >> UInt32(length)))
        case .v6(let high, let low):
            .v6(high & ~(UInt64.max >> UInt64(min(64, length))), low & ~(UInt64.max >> UInt64(max(0, length - 64))))
        }
    }
}
