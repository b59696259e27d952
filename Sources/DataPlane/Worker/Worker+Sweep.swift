import EventLoop
import TLS

/// After a change every admitted connection is rechecked, in the order of the slots.
///
/// A slice per step, so that other connections do not wait. A connection admitted meanwhile is authorized by the
/// current plan, on this same thread: between the two there is no gap.
extension Worker {
    /// Starts a new round: no connection counts as rechecked.
    mutating func beginSweep() {
        round += 1
        sweepSlot = 0
    }

    /// Whether connections are left to recheck.
    var isSweeping: Bool { sweepSlot != nil }

    /// Rechecks the next slice.
    mutating func sweep() {
        guard var slot = sweepSlot else { return }
        let end = Int32(connections.touched)
        var looks = 0
        var closes = 0
        builtPaths = 0
        while slot < end, looks < Self.looksAStep, closes + builtPaths * Self.closesAPath < Self.closesAStep {
            if connections.isLive(slot), connections[slot].round != round {
                if !connections[slot].isAdmitted {
                    leaveOutdatedQueue(slot)
                } else if let denial = outdatedDenial(slot) {
                    revoke(slot, denial)
                    closes += 1
                } else {
                    // A dial keeps its time limit, however often something changes.
                    if connections[slot].machine.phase != .dialling { resetTimer(slot) }
                    leaveOutdatedQueue(slot)
                }
            }
            looks += 1
            slot += 1
        }
        sweepSlot = slot < end ? slot : nil
    }

    /// If the wall clock was set, the deadlines of certificates have moved: recheck all.
    mutating func watchClock() {
        let difference = clock() - Int64(loop.now / 1_000_000_000)
        guard abs(difference - clockDifference) > Self.clockToleranceSeconds else { return }
        clockDifference = difference
        beginSweep()
    }

    /// Why an admitted connection would be refused now; nil if it is still allowed.
    mutating func outdatedDenial(_ slot: Int32) -> Denial? {
        connections[slot].machine.isPassedThrough ? passageDenial(slot) : denial(slot, rechecksPeer: true)
    }

    // MARK: Private

    private mutating func revoke(_ slot: Int32, _ denial: Denial) {
        connections[slot].code = denial.code
        let isDialling = connections[slot].machine.phase == .dialling
        let course =
            isDialling ? refuse(slot, denial.later) : connections[slot].machine.revoke(denial.later)
        advance(slot, after: course)
    }

    /// A recheck takes a microsecond or two, a close about twenty.
    private static var looksAStep: Int { 1_024 }
    private static var closesAStep: Int { 64 }
    /// A path that must be built takes a few hundred microseconds.
    private static var closesAPath: Int { 16 }
    private static var clockToleranceSeconds: Int64 { 2 }
}

extension Connection {
    /// Whether bytes may be forwarded, now or as soon as the application is connected.
    var isAdmitted: Bool { round > 0 && (machine.phase == .relaying || machine.phase == .dialling) }
}
