import EventLoop
import TLS

/// After a change every connection that was admitted before is looked at again, in the order of their slots.
///
/// A slice of them a step, so that none of the others waits for it. Who is admitted meanwhile is judged by what holds
/// now, on this very thread: between the two there is no gap.
extension Worker {
    /// From now on nothing counts as looked at.
    mutating func beginSweep() {
        round += 1
        sweepSlot = 0
    }

    /// There are connections left to look at.
    var isSweeping: Bool { sweepSlot != nil }

    /// Looks at some more.
    mutating func sweep() {
        guard var slot = sweepSlot else { return }
        let end = Int32(connections.touched)
        var looks = 0
        var closes = 0
        builtPaths = 0
        while slot < end, looks < Self.looksAStep, closes + builtPaths * Self.closesAPath < Self.closesAStep {
            if connections.isLive(slot), connections[slot].isAdmitted, connections[slot].round != round {
                if let denial = denial(slot, rechecksPeer: true) {
                    revoke(slot, denial)
                    closes += 1
                } else {
                    resetTimer(slot)
                }
            }
            looks += 1
            slot += 1
        }
        sweepSlot = slot < end ? slot : nil
    }

    /// Where the wall clock was set, the ends of certificates have moved.
    mutating func watchClock() {
        let difference = clock() - Int64(loop.now / 1_000_000_000)
        guard abs(difference - clockDifference) > Self.clockToleranceSeconds else { return }
        clockDifference = difference
        beginSweep()
    }

    // MARK: Private

    private mutating func revoke(_ slot: Int32, _ denial: Denial) {
        connections[slot].code = denial.code
        let isDialling = connections[slot].machine.phase == .dialling
        let course =
            isDialling ? refuse(slot, denial.later) : connections[slot].machine.revoke(denial.later)
        advance(slot, after: course)
    }

    /// A look takes a microsecond or two, a close some twenty.
    private static var looksAStep: Int { 1_024 }
    private static var closesAStep: Int { 64 }
    /// A path that must be built takes a few hundred microseconds.
    private static var closesAPath: Int { 16 }
    private static var clockToleranceSeconds: Int64 { 2 }
}

extension Connection {
    /// Its peer may send and be sent bytes, or may as soon as the application is connected to.
    var isAdmitted: Bool { round > 0 && (machine.phase == .relaying || machine.phase == .dialling) }
}
