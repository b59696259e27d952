import Policy

/// A block of addresses as bits, to compute with; ordered by its first address, of two the larger block first.
struct AddressPrefix: Comparable {
    let isV4: Bool
    /// The first bit of an address is the first one here, of IPv4 too.
    let bits: UInt128
    let length: Int

    static func < (one: AddressPrefix, other: AddressPrefix) -> Bool {
        (one.isV4 ? 0 : 1, one.bits, one.length) < (other.isV4 ? 0 : 1, other.bits, other.length)
    }

    func contains(_ other: AddressPrefix) -> Bool {
        isV4 == other.isV4 && length <= other.length && (bits ^ other.bits) >> (128 - length) == 0
    }

    /// Appends the blocks of what is in none of the holes. These must be in order, and each contain this block or be in
    /// it; none is in another. False as soon as there are more than `limit`.
    func subtract(
        _ holes: ArraySlice<AddressPrefix>, into rest: inout [AddressPrefix], atMost limit: Int
    ) -> Bool {
        guard let first = holes.first else {
            rest.append(self)
            return rest.count <= limit
        }
        // Nothing is left of a block that is a hole or in one.
        guard first.length > length else { return true }
        let bit = UInt128(1) << (127 - length)
        let middle = holes.firstIndex { $0.bits & bit != 0 } ?? holes.endIndex
        let (low, high) = (half(bits), half(bits | bit))
        return low.subtract(holes[..<middle], into: &rest, atMost: limit)
            && high.subtract(holes[middle...], into: &rest, atMost: limit)
    }

    private func half(_ bits: UInt128) -> AddressPrefix { AddressPrefix(isV4: isV4, bits: bits, length: length + 1) }

    /// Nil for `::ffff:0:0/96` and its parts, which no address is in: they are addresses of IPv4.
    var block: CIDR? {
        let (high, low) = (UInt64(truncatingIfNeeded: bits >> 64), UInt64(truncatingIfNeeded: bits))
        let address = isV4 ? IPAddress.v4(UInt32(truncatingIfNeeded: bits >> 96)) : IPAddress(high: high, low: low)
        if !isV4, case .v4 = address { return nil }
        return try? CIDR(parsing: "\(address)/\(length)")
    }
}

extension CIDR {
    var prefix: AddressPrefix {
        switch network {
        case .v4(let bits): AddressPrefix(isV4: true, bits: UInt128(bits) << 96, length: prefixLength)
        case .v6(let high, let low):
            AddressPrefix(isV4: false, bits: UInt128(high) << 64 | UInt128(low), length: prefixLength)
        }
    }
}
