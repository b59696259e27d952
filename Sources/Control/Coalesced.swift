/// The last that a source has said, handed on a few times a second at most: what came in between is passed over, and so
/// is what was handed on before. Milliseconds are those of the monotonic clock.
struct Coalesced<State: Equatable> {
    private let intervalMilliseconds: Int64
    private var waiting: State?
    private var handedOn: State?
    private var nextAt: Int64 = 0

    init(intervalMilliseconds: Int64) { self.intervalMilliseconds = intervalMilliseconds }

    /// What holds from now on.
    mutating func put(_ state: State) { waiting = state == handedOn ? nil : state }

    /// What is to be acted on now; nil where there is nothing new, or it is too early.
    mutating func take(now: Int64) -> State? {
        guard now >= nextAt, let state = waiting else { return nil }
        waiting = nil
        handedOn = state
        nextAt = now + intervalMilliseconds
        return state
    }

    /// When something can be taken; nil where nothing waits.
    var dueAt: Int64? { waiting == nil ? nil : nextAt }

    /// What was handed on last did not do: the same, said again, is handed on again.
    mutating func forget() { handedOn = nil }

    /// What was handed on last could not be done: it is handed on again after the interval, unless something else is.
    mutating func putBack(now: Int64) {
        if waiting == nil { waiting = handedOn }
        handedOn = nil
        nextAt = now + intervalMilliseconds
    }

    /// Nothing holds any more.
    mutating func clear() {
        waiting = nil
        handedOn = nil
    }
}
