import EventLoop
import Settings

/// The end of a worker: what it accepts until then, and what it ends.
extension Worker {
    /// Lets connections finish until the drain time-out, and then cuts them. Inbound listeners accept for the drain
    /// delay, outbound ones until ``stopOutbound()``.
    public mutating func drain() {
        guard stage == .serving else { return }
        stage = .draining(
            Drain(now: loop.now, delay: limits.drainDelayNanoseconds, timeout: limits.drainTimeoutNanoseconds))
        retireOutdatedSpares(all: true)
        endDelayIfDue()
    }

    /// Drains, from now on without inbound listeners, and ends as soon as nothing is open: the application has ended.
    public mutating func stopInbound() {
        drain()
        if case .draining(var drain) = stage {
            drain.quiet = 0
            stage = .draining(drain)
        }
        closeInbound()
    }

    private mutating func closeInbound() {
        guard case .draining(var drain) = stage, drain.acceptsInbound else { return }
        drain.acceptsInbound = false
        stage = .draining(drain)
        retireAcceptors()
        endSilentStrangers()
    }

    /// Drains, from now on without any listener: ends as soon as nothing is open.
    public mutating func stopOutbound() {
        stopInbound()
        guard case .draining(var drain) = stage, drain.acceptsOutbound else { return }
        drain.acceptsOutbound = false
        stage = .draining(drain)
        retireAcceptors()
    }

    /// Ends a drain now: aborts all connections.
    public mutating func cutAll() {
        drain()
        if case .draining(var drain) = stage {
            drain.deadline = .max
            stage = .draining(drain)
        }
        stopOutbound()
        for index in acceptors.indices { acceptors[index].servesLast = false }
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            // Strangers have nothing to lose, so they do not count.
            let hasCaller = !connections[slot].countsAsStranger && connections[slot].spareStanding == .none
            if !connections[slot].machine.isClosing, hasCaller { cutConnections += 1 }
            advance(slot, after: connections[slot].machine.cut(.drained))
        }
    }

    /// True once each time a drain has had nothing open for a while, and outbound listeners still accept: all workers
    /// together decide that they need not.
    public mutating func takeIdle() -> Bool {
        guard case .draining(var drain) = stage else { return false }
        let isIdle = drain.becomesIdle(now: loop.now, connections: connections.count)
        stage = .draining(drain)
        return isIdle
    }

    /// True once a drain is over: no connection and no listener is left.
    public var isFinished: Bool {
        guard case .draining(let drain) = stage, !drain.acceptsInbound, !drain.acceptsOutbound else { return false }
        return connections.count == 0 && acceptors.allSatisfy(\.isClosed)
    }

    /// Does what is due of a drain.
    mutating func continueDrain() {
        guard case .draining(let drain) = stage else { return }
        if loop.now >= drain.deadline { return cutAll() }
        endDelayIfDue()
        if !drain.acceptsInbound, loop.now >= nextStrangerCheckAt { endSilentStrangers() }
    }

    /// The nanoseconds until ``continueDrain()`` has something to do; nil without a drain.
    var nanosecondsUntilDrainContinues: UInt64? {
        guard case .draining(let drain) = stage else { return nil }
        let next = min(
            drain.deadline, drain.acceptsInbound ? drain.inboundUntil : nextStrangerCheckAt, drain.idleAt)
        return next > loop.now ? next - loop.now : 1_000_000
    }

    /// Whether a bound socket's listener still accepts.
    func mayAccept(_ index: Int) -> Bool {
        guard case .draining(let drain) = stage else { return true }
        return drain.accepts(listeners[acceptors[index].listener].plan.mode == .inbound ? .inbound : .outbound)
    }

    private mutating func endDelayIfDue() {
        guard case .draining(let drain) = stage, loop.now >= drain.inboundUntil else { return }
        closeInbound()
    }

    private mutating func retireAcceptors() {
        guard case .draining(let drain) = stage else { return }
        for index in acceptors.indices where !mayAccept(index) { retire(index, servingLast: drain.deadline < .max) }
    }
}
