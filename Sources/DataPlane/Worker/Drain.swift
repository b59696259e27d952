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
    /// Nothing was open when that was looked at last.
    var isIdle = false

    /// - Parameter delay: for how long inbound listeners go on accepting; never beyond the deadline.
    init(now: UInt64, delay: UInt64, timeout: UInt64) {
        deadline = now &+ timeout
        inboundUntil = now &+ min(delay, timeout)
    }

    func accepts(_ mode: ConnectionMachine.Mode) -> Bool { mode == .inbound ? acceptsInbound : acceptsOutbound }

    /// True once each time nothing is open any more, and only outbound listeners accept.
    mutating func becomesIdle(connections: Int) -> Bool {
        let was = isIdle
        isIdle = connections == 0 && !acceptsInbound && acceptsOutbound
        return isIdle && !was
    }
}
