/// The due times of an open loop: request k at `start + k / rate`, whatever the target does.
struct Schedule {
    let ratePerSecond: UInt64
    /// Monotonic nanoseconds.
    let start: UInt64
    /// The index of the next request to take.
    private(set) var dueCount: UInt64 = 0

    init(ratePerSecond: UInt64, start: UInt64) {
        self.ratePerSecond = ratePerSecond
        self.start = start
    }

    /// The due time of request k.
    func due(_ index: UInt64) -> UInt64 {
        let product = index.multipliedFullWidth(by: 1_000_000_000)
        return start &+ ratePerSecond.dividingFullWidth(product).quotient
    }

    /// Takes the next request due by `now`; nil if there is none.
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
