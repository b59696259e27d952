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
        var (outermost, last) = (Set<CIDR>(), CIDR?.none)
        // In this order a block comes behind those that it is in.
        for block in blocks.sorted(by: { $0.prefix < $1.prefix }) where last?.contains(block) != true {
            outermost.insert(block)
            last = block
        }
        self.blocks = blocks.filter { outermost.remove($0) != nil }
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

    /// Nil if more than ``blocksAtMost`` are left.
    func subtracting(_ other: SourceSet) -> SourceSet? {
        guard let holes = other.blocks else { return SourceSet([]) }
        guard !holes.isEmpty else { return self }
        let prefixes = holes.map(\.prefix).sorted()
        var rest: [AddressPrefix] = []
        for block in (blocks ?? Self.families).map(\.prefix) {
            let inside = prefixes.filter { $0.contains(block) || block.contains($0) }
            guard block.subtract(inside[...], into: &rest, atMost: Self.blocksAtMost) else { return nil }
        }
        return SourceSet(blocks: rest.compactMap(\.block))
    }

    /// A block of IPv6 holds no addresses of IPv4.
    private static let families: [CIDR] = ["0.0.0.0/0", "::/0"].compactMap { try? CIDR(parsing: $0) }
}
