import Policy

/// A set of TCP ports, as ranges in ascending order.
struct PortSet: Equatable {
    private(set) var ranges: [ClosedRange<UInt16>]

    static let all = PortSet(ranges: [1...UInt16.max])

    private init(ranges: [ClosedRange<UInt16>]) { self.ranges = ranges }

    init(_ ports: [UInt16]) {
        ranges = Set(ports).sorted().map { $0...$0 }
    }

    var isEmpty: Bool { ranges.isEmpty }

    func contains(_ port: UInt16) -> Bool { ranges.contains { $0.contains(port) } }

    func intersection(_ other: PortSet) -> PortSet {
        PortSet(
            ranges: ranges.flatMap { range in
                other.ranges.filter { $0.overlaps(range) }.map { $0.clamped(to: range) }
            })
    }

    func subtracting(_ other: PortSet) -> PortSet {
        var rest: [ClosedRange<UInt16>] = []
        for range in ranges {
            var next = Int(range.lowerBound)
            for hole in other.ranges where hole.overlaps(range) {
                if Int(hole.lowerBound) > next { rest.append(UInt16(next)...hole.lowerBound - 1) }
                next = Int(hole.upperBound) + 1
            }
            if next <= Int(range.upperBound) { rest.append(UInt16(next)...range.upperBound) }
        }
        return PortSet(ranges: rest)
    }

    /// As a rule's condition, neighbours joined; empty for all ports.
    var condition: [PortRange] {
        guard self != .all else { return [] }
        var joined: [ClosedRange<UInt16>] = []
        for range in ranges {
            if let last = joined.last, Int(last.upperBound) + 1 == Int(range.lowerBound) {
                joined[joined.count - 1] = last.lowerBound...range.upperBound
            } else {
                joined.append(range)
            }
        }
        return joined.compactMap { PortRange(lower: $0.lowerBound, upper: $0.upperBound) }
    }
}
