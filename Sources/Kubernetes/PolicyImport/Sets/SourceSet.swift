import Policy

/// A set of client addresses, as blocks that do not overlap.
struct SourceSet: Equatable {
    /// Nil is every address.
    private(set) var blocks: [CIDR]?

    /// How many blocks a set that is read may have.
    static let blocksAtMost = 1_024

    var count: Int { blocks?.count ?? 1 }

    static let everywhere = SourceSet(blocks: nil)

    init(_ blocks: [CIDR]) {
        var seen: Set<CIDR> = []
        let distinct = blocks.filter { seen.insert($0).inserted }
        self.blocks = distinct.filter { block in !distinct.contains { $0 != block && $0.contains(block) } }
    }

    private init(blocks: [CIDR]?) { self.blocks = blocks }

    var isEmpty: Bool { blocks?.isEmpty == true }

    func intersection(_ other: SourceSet) -> SourceSet {
        guard let blocks else { return other }
        guard let others = other.blocks else { return self }
        // Blocks are apart or one within the other, so that those of the result are apart again.
        return SourceSet(
            blocks: blocks.flatMap { block in
                others.compactMap { $0.contains(block) ? block : block.contains($0) ? $0 : nil }
            })
    }

    func union(_ other: SourceSet) -> SourceSet {
        guard let blocks, let others = other.blocks else { return .everywhere }
        return SourceSet(blocks + others)
    }

    func subtracting(_ other: SourceSet) -> SourceSet {
        guard let holes = other.blocks else { return SourceSet([]) }
        guard !holes.isEmpty else { return self }
        var rest = blocks ?? Self.families
        for hole in holes { rest = rest.flatMap { $0.subtracting(hole) } }
        return SourceSet(blocks: rest)
    }

    /// A block of IPv6 holds no addresses of IPv4.
    private static let families: [CIDR] = ["0.0.0.0/0", "::/0"].compactMap { try? CIDR(parsing: $0) }
}

extension CIDR {
    /// The blocks of this one's addresses that are not in `hole`: one for each bit that the hole's prefix is longer.
    fileprivate func subtracting(_ hole: CIDR) -> [CIDR] {
        guard !hole.contains(self) else { return [] }
        guard contains(hole) else { return [self] }
        return (prefixLength..<hole.prefixLength).compactMap { hole.sibling(atBit: $0) }
    }

    /// The block beside this one's ancestor of that length plus one. Nil for `::ffff:0:0/96` and its parts, which no
    /// address is in: they are addresses of IPv4.
    private func sibling(atBit bit: Int) -> CIDR? {
        let address: IPAddress
        switch network {
        case .v4(let bits):
            let flipped = bits ^ (1 << UInt32(31 - bit))
            address = .v4(flipped & ~(UInt32.max >> UInt32(bit + 1)))
        case .v6(let high, let low):
            var (high, low) = (high, low)
            if bit < 64 { high ^= 1 << UInt64(63 - bit) } else { low ^= 1 << UInt64(127 - bit) }
            let length = bit + 1
            high &= ~(UInt64.max >> UInt64(min(64, length)))
            low &= ~(UInt64.max >> UInt64(max(0, length - 64)))
            address = IPAddress(high: high, low: low)
            if case .v4 = address { return nil }
        }
        return try? CIDR(parsing: "\(address)/\(bit + 1)")
    }
}
