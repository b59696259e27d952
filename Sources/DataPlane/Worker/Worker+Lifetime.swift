import EventLoop
import Settings

/// The deadlines of a connection besides the idle time-out: its peer's chain, and its maximum age.
extension Worker {
    /// Notes when the peer's chain expires; `notAfter` in Unix seconds.
    mutating func setExpiry(_ slot: Int32, notAfter: Int64) {
        guard connections[slot].plan.lifetime.expiry != .finish else {
            connections[slot].expiresAt = .max
            return
        }
        let now = clock()
        let seconds = notAfter >= now ? UInt64(min(notAfter - now, Self.farSeconds)) + 1 : 0
        connections[slot].expiresAt = loop.now + seconds * 1_000_000_000
    }

    /// When a connection accepted now reaches its maximum age, give or take a tenth, so that not all do at once.
    func endOfAge(_ plan: ListenerPlan) -> UInt64 {
        guard let age = plan.lifetime.maximumAgeNanoseconds else { return .max }
        // A number that differs from connection to connection, and is the same in every run of a simulation.
        var mixed = (loop.now ^ accepted << 32) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 29
        return loop.now + age - age / 10 + mixed % (age / 5 + 1)
    }

    /// When a relaying connection with the idle time-out `limit` must next be checked.
    func relayDeadline(_ slot: Int32, _ limit: UInt64) -> UInt64 {
        let lastActivity = connections[slot].lastActivity
        return min(lastActivity + limit, min(expiryDeadline(slot), ageDeadline(slot)))
    }

    /// Why a relaying connection must end now, if it must.
    func lapse(_ slot: Int32) -> CloseReason? {
        if loop.now >= expiryDeadline(slot) { return .certificateExpired }
        return loop.now >= ageDeadline(slot) ? .maxConnectionAge : nil
    }

    // MARK: Private

    private func expiryDeadline(_ slot: Int32) -> UInt64 {
        let end = connections[slot].expiresAt
        return connections[slot].plan.lifetime.expiry == .close ? end : quietEnd(slot, end)
    }

    private func ageDeadline(_ slot: Int32) -> UInt64 { quietEnd(slot, connections[slot].agesAt) }

    /// The first quiet second after `end`, or the end of the grace period.
    private func quietEnd(_ slot: Int32, _ end: UInt64) -> UInt64 {
        guard end < .max else { return .max }
        let quiet = max(connections[slot].lastActivity, end) + Self.quietNanoseconds
        return min(quiet, end + connections[slot].plan.lifetime.expiryGraceNanoseconds)
    }

    private static var quietNanoseconds: UInt64 { 1_000_000_000 }
    /// Thirty years: its nanoseconds do not overflow.
    private static var farSeconds: Int64 { 1_000_000_000 }
}
