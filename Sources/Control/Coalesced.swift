/// Rate-limits the values of a source: delivers the latest at most a few times a second, and skips intermediate and
/// repeated ones. Times are monotonic milliseconds.
struct Coalesced<State: Equatable> {
    private let intervalMilliseconds: Int64
    private var pending: State?
    private var delivered: State?
    private var nextAt: Int64 = 0

    init(intervalMilliseconds: Int64) { self.intervalMilliseconds = intervalMilliseconds }

    /// Offers a new value, which replaces one not yet taken.
    mutating func put(_ state: State) { pending = state == delivered ? nil : state }

    /// The value to act on now; nil if there is nothing new, or it is too early.
    mutating func take(now: Int64) -> State? {
        guard now >= nextAt, let state = pending else { return nil }
        pending = nil
        delivered = state
        nextAt = now + intervalMilliseconds
        return state
    }

    /// When the pending value can be taken; nil if none is pending.
    var dueAt: Int64? { pending == nil ? nil : nextAt }

    /// The value last delivered was rejected: if the same value is offered again, it is delivered again.
    mutating func forget() { delivered = nil }

    /// The value last delivered could not be applied: it is delivered again after the interval, unless replaced.
    mutating func putBack(now: Int64) {
        if pending == nil { pending = delivered }
        delivered = nil
        nextAt = now + intervalMilliseconds
    }

    /// Discards the pending and the last value.
    mutating func clear() {
        pending = nil
        delivered = nil
    }
}
