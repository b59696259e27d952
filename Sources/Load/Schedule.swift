/// When requests of an open loop are due: the k-th at `start + k / rate`, whatever the target does.
struct Schedule {
    let ratePerSecond: UInt64
    /// Monotonic nanoseconds.
    let start: UInt64
    /// Requests before this one have become due.
    private(set) var dueCount: UInt64 = 0

    init(ratePerSecond: UInt64, start: UInt64) {
        self.ratePerSecond = ratePerSecond
        self.start = start
    }

    /// The moment of the k-th request.
    func due(_ index: UInt64) -> UInt64 {
        let product = index.multipliedFullWidth(by: 1_000_000_000)
        return start &+ ratePerSecond.dividingFullWidth(product).quotient
    }

    /// The next request that is due by `now` and was not taken; nil once there is none.
    mutating func takeDue(by now: UInt64) -> UInt64? {
        guard due(dueCount) <= now else { return nil }
        dueCount += 1
        return dueCount - 1
    }

    /// Nanoseconds until the next request is due.
    func wait(now: UInt64) -> UInt64 {
        let next = due(dueCount)
        return next > now ? next - now : 0
    }
}
