import Policy

/// Slices of conditions whose values are intervals of numbers: ports, and addresses.
enum IntervalSlices {
    /// - Parameters:
    ///   - universe: all numbers there are, without those of the hole.
    ///   - intervals: of each rule that may match; nil: the rule does not name this condition.
    static func slices<Number: FixedWidthInteger & Sendable, Value: Sendable>(
        of universe: ClosedRange<Number>, without hole: ClosedRange<Number>? = nil,
        _ intervals: [(rule: Int, intervals: [ClosedRange<Number>]?)],
        ruleCount: Int, _ work: inout WorkAllowance, value: (Number) -> Value,
        text: (ClosedRange<Number>, Value) -> String
    ) throws(WorkLimitReached) -> [Slice<Value>] {
        var starts: Set<Number> = [universe.lowerBound]
        for interval in Array(intervals.compactMap(\.intervals).joined()) + [hole].compactMap(\.self) {
            guard universe.contains(interval.lowerBound) else { continue }
            starts.insert(interval.lowerBound)
            if interval.upperBound < universe.upperBound { starts.insert(interval.upperBound + 1) }
        }
        let ordered = starts.sorted()
        let cost = intervals.reduce(1) { $0 + 1 + ($1.intervals?.count ?? 0) }
        var table = SliceTable<Value>()
        for (place, start) in ordered.enumerated() where !(hole?.contains(start) ?? false) {
            try work.take(cost)
            var rules = RuleSet(count: ruleCount)
            for (rule, intervals) in intervals {
                if intervals.map({ $0.contains { $0.contains(start) } }) ?? true { rules.insert(rule) }
            }
            let end = place + 1 < ordered.count ? ordered[place + 1] - 1 : universe.upperBound
            table.add(rules, value(start), text(start...end, value(start)))
        }
        return table.slices
    }
}

extension CIDR {
    /// The numbers of its addresses; nil if it is of the other family.
    var v4Numbers: ClosedRange<UInt32>? {
        guard case .v4(let first) = network else { return nil }
        return first...(first | UInt32.max >> UInt32(prefixLength))
    }

    var v6Numbers: ClosedRange<UInt128>? {
        guard case .v6(let high, let low) = network else { return nil }
        let first = UInt128(high) << 64 | UInt128(low)
        return first...(first | (prefixLength == 128 ? 0 : UInt128.max >> UInt128(prefixLength)))
    }
}

extension IPAddress {
    /// ::ffff:0:0/96, whose addresses are those of IPv4.
    static let mappedNumbers = (0xFFFF << 32 as UInt128)...(0xFFFF_FFFF_FFFF as UInt128)

    init(_ number: UInt128) { self = .v6(UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number)) }
}
