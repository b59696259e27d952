/// How many times were at most each bound; what a histogram of Prometheus is made of.
public struct TimeBuckets: Hashable, Sendable {
    /// Nanoseconds, ascending.
    public let bounds: [UInt64]
    /// One for each bound, and one for all above.
    private var counts: [UInt64]
    public private(set) var sumNanoseconds: UInt64 = 0

    public init(_ bounds: [UInt64]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    public mutating func count(_ nanoseconds: Int64) {
        let value = UInt64(max(0, nanoseconds))
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] &+= 1
        sumNanoseconds &+= value
    }

    /// Adds times that were sorted by the same bounds.
    public mutating func add(_ other: TimeBuckets) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sumNanoseconds &+= other.sumNanoseconds
    }

    /// Of each bound how many were at most that long; the last one is of all.
    public var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return counts.map { count in
            sum &+= count
            return sum
        }
    }
}
