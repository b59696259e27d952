/// Counts how often each value was seen: fixed memory, constant time per value, relative error below 10^-`digits`.
///
/// The layout is HdrHistogram's: one counter per value up to a power of two, then equally many for each doubling. A
/// value over ``highestTrackable`` counts as that one, and in ``clampedCount``.
@safe
public struct Histogram: ~Copyable {
    /// The significant decimal digits that values keep, 1 to 4.
    public let digits: Int
    public let highestTrackable: UInt64
    /// Values seen.
    public private(set) var count: UInt64 = 0
    public private(set) var clampedCount: UInt64 = 0
    private let counters: UnsafeMutablePointer<UInt64>
    private let counterCount: Int
    /// The first doubling's counters are two to the power of this; each later one has half as many.
    private let linearBits: Int
    private var smallest = UInt64.max
    private var largest: UInt64 = 0
    private var sum: UInt128 = 0

    /// A histogram without values.
    public init(highestTrackable: UInt64 = 3_600_000_000_000, digits: Int = 3) {
        precondition((1...4).contains(digits) && highestTrackable > 1 && highestTrackable < 1 << 62)
        var needed: UInt64 = 2
        for _ in 0..<digits { needed *= 10 }
        linearBits = UInt64.bitWidth - (needed - 1).leadingZeroBitCount
        self.digits = digits
        self.highestTrackable = highestTrackable
        let doublings = max(0, UInt64.bitWidth - highestTrackable.leadingZeroBitCount - linearBits)
        counterCount = (doublings + 2) << (linearBits - 1)
        // Safe: owned until `deinit`; every index is checked against `counterCount`.
        unsafe counters = .allocate(capacity: counterCount)
        unsafe counters.initialize(repeating: 0, count: counterCount)
    }

    deinit {
        unsafe counters.deallocate()
    }

    /// The smallest value seen; nil if there is none.
    public var minimum: UInt64? { count > 0 ? smallest : nil }
    /// The largest value seen, exact unless clamped.
    public var maximum: UInt64? { count > 0 ? largest : nil }
    /// The exact mean, rounded down.
    public var mean: UInt64? { count > 0 ? UInt64(sum / UInt128(count)) : nil }

    /// Counts one value. Allocates nothing.
    @inline(__always)
    public mutating func record(_ value: UInt64) {
        let kept = min(value, highestTrackable)
        if kept != value { clampedCount &+= 1 }
        let index = index(of: kept)
        precondition(index < counterCount, "a value outside the histogram")
        // Safe: the index is checked.
        unsafe counters[index] &+= 1
        count &+= 1
        smallest = min(smallest, kept)
        largest = max(largest, kept)
        sum &+= UInt128(kept)
    }

    /// The value at this percentile (0...100), to the histogram's precision; nil if it is empty.
    public func value(atPercentile percent: Double) -> UInt64? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((Double(count) * min(max(percent, 0), 100) / 100).rounded(.up)))
        var seen: UInt64 = 0
        for index in 0..<counterCount {
            // Safe: index < counterCount.
            seen &+= unsafe counters[index]
            if seen >= rank { return max(smallest, min(largest, highestEquivalent(index))) }
        }
        return largest
    }

    /// Adds all values of a histogram of the same shape.
    public mutating func merge(_ other: borrowing Histogram) {
        precondition(other.digits == digits && other.highestTrackable == highestTrackable, "histograms of two shapes")
        for index in 0..<counterCount {
            // Safe: both have `counterCount` counters.
            unsafe counters[index] &+= other.counters[index]
        }
        count &+= other.count
        clampedCount &+= other.clampedCount
        smallest = min(smallest, other.smallest)
        largest = max(largest, other.largest)
        sum &+= other.sum
    }

    /// Removes all values.
    public mutating func removeAll() {
        // Safe: the histogram's own counters.
        unsafe counters.update(repeating: 0, count: counterCount)
        count = 0
        clampedCount = 0
        smallest = .max
        largest = 0
        sum = 0
    }

    // MARK: Private

    @inline(__always)
    private func index(of value: UInt64) -> Int {
        let linearMask = UInt64(1) << UInt64(linearBits) - 1
        let doubling = UInt64.bitWidth - (value | linearMask).leadingZeroBitCount - linearBits
        return doubling << (linearBits - 1) + Int(value >> UInt64(doubling))
    }

    /// The largest value that is counted at `index`.
    private func highestEquivalent(_ index: Int) -> UInt64 {
        let half = 1 << (linearBits - 1)
        let doubling = max(0, index / half - 1)
        let step = UInt64(index - doubling * half)
        return (step + 1) << UInt64(doubling) - 1
    }
}

/// A summary of a histogram, in the unit of its values.
public struct HistogramSummary: Hashable, Sendable {
    public let count: UInt64
    public let minimum: UInt64
    public let mean: UInt64
    public let p50: UInt64
    public let p90: UInt64
    public let p99: UInt64
    public let p999: UInt64
    public let p9999: UInt64
    public let maximum: UInt64

    /// Nil for an empty histogram.
    public init?(_ histogram: borrowing Histogram) {
        guard let minimum = histogram.minimum, let maximum = histogram.maximum, let mean = histogram.mean else {
            return nil
        }
        count = histogram.count
        self.minimum = minimum
        self.mean = mean
        self.maximum = maximum
        p50 = histogram.value(atPercentile: 50) ?? maximum
        p90 = histogram.value(atPercentile: 90) ?? maximum
        p99 = histogram.value(atPercentile: 99) ?? maximum
        p999 = histogram.value(atPercentile: 99.9) ?? maximum
        p9999 = histogram.value(atPercentile: 99.99) ?? maximum
    }
}
