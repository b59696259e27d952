/// The end of a worker, as it has come so far. Times are the loop's, in nanoseconds.
///
/// First all listeners go on accepting; then only outbound ones, because an application that still answers may have to
/// call others; at last none.
struct Drain: Equatable {
    /// Until when inbound listeners accept.
    let inboundUntil: UInt64
    /// When what is still open is cut; `.max` once that was done.
    var deadline: UInt64
    var acceptsInbound = true
    var acceptsOutbound = true
    /// For how long nothing must have been open before outbound listeners close: an application that is about to end
    /// may make one call after the other.
    var quiet: UInt64
    /// Since when nothing is open.
    private var emptySince: UInt64?
    /// Nothing had been open for that long when that was looked at last.
    private var isIdle = false

    /// - Parameter delay: for how long inbound listeners go on accepting; never beyond the deadline.
    init(now: UInt64, delay: UInt64, timeout: UInt64) {
        deadline = now &+ timeout
        inboundUntil = now &+ min(delay, timeout)
        quiet = min(delay, timeout, Self.quietAtMost)
    }

    private static let quietAtMost: UInt64 = 5_000_000_000

    func accepts(_ mode: ConnectionMachine.Mode) -> Bool { mode == .inbound ? acceptsInbound : acceptsOutbound }

    /// True once each time nothing has been open for a while, and only outbound listeners accept.
    mutating func becomesIdle(now: UInt64, connections: Int) -> Bool {
        guard connections == 0 else {
            (emptySince, isIdle) = (nil, false)
            return false
        }
        let since = emptySince ?? now
        let was = isIdle
        emptySince = since
        isIdle = !acceptsInbound && acceptsOutbound && now - since >= quiet
        return isIdle && !was
    }

    /// When it becomes idle if nothing is opened.
    var idleAt: UInt64 {
        guard !isIdle, !acceptsInbound, acceptsOutbound, let emptySince else { return .max }
        return emptySince &+ quiet
    }
}
