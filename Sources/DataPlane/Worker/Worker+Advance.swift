import EventLoop
import Settings
import TLS

extension Worker {
    /// Starts everything the connection's machine plans now, and updates its timer. The slot may be free afterwards.
    ///
    /// - Parameter course: the outcome of the preceding event; a connection that ended gives up its handshake turn
    ///   here.
    mutating func advance(_ slot: Int32, after course: ConnectionMachine.Course) {
        if course == .isOver {
            leaveHandshake(slot)
            leavePool(slot)
        }
        while true {
            let actions = connections[slot].machine.plan(isScarce: isScarce)
            if actions.isEmpty { break }
            if !actions.isDisjoint(with: [.release, .redial]) {
                guard actions.contains(.redial) else { return release(slot) }
                if redial(slot) == .isOver { leavePool(slot) }
                continue
            }
            perform(actions, slot)
        }
        setTimer(slot)
    }

    mutating func timerFired(_ slot: Int32) {
        guard connections.isLive(slot) else { return }
        let timer = connections[slot].timer
        connections[slot].timer = .none
        if timer == .release { return release(slot) }
        let course =
            switch timer {
            case .none, .release: connections[slot].machine.course
            case .detection: detectionTimedOut(slot)
            case .handshake: handshakeFailed(slot, .handshakeTimeout)
            case .redial: redialTimedOut(slot)
            case .connect: connectTimerFired(slot)
            case .spare: spareTimerFired(slot)
            case .idle: relayTimerFired(slot, limits.idleTimeoutNanoseconds, .idleTimeout)
            case .halfClose: relayTimerFired(slot, limits.halfCloseTimeoutNanoseconds, .halfCloseTimeout)
            case .flush: quietFor(limits.flushTimeoutNanoseconds, slot, .finished)
            case .revoked, .linger: connections[slot].machine.cut(.finished)
            }
        advance(slot, after: course)
    }

    // MARK: Private

    private mutating func spareTimerFired(_ slot: Int32) -> ConnectionMachine.Course {
        leavePool(slot)
        return connections[slot].machine.retire()
    }

    /// When bytes last moved, or when it ended, whichever is later.
    private func lastEvent(_ slot: Int32) -> UInt64 {
        max(connections[slot].lastActivity, connections[slot].endedAt)
    }

    private mutating func relayTimerFired(
        _ slot: Int32, _ limit: UInt64, _ reason: CloseReason
    ) -> ConnectionMachine.Course {
        guard let lapse = lapse(slot) else { return quietFor(limit, slot, reason) }
        return connections[slot].machine.revoke(lapse)
    }

    private mutating func quietFor(
        _ limit: UInt64, _ slot: Int32, _ reason: CloseReason
    ) -> ConnectionMachine.Course {
        guard loop.now - lastEvent(slot) >= limit else { return connections[slot].machine.course }
        return connections[slot].machine.cut(reason)
    }

    /// Starts all of them, whatever the outcome of one: the machine counts each as started, and its next plan follows
    /// from an end.
    private mutating func perform(_ actions: ConnectionActions, _ slot: Int32) {
        if actions.contains(.closeNotify) { _ = queueCloseNotify(slot) }
        if actions.contains(.alert) { queueAlert(slot) }
        if actions.contains(.produce) { _ = produce(slot) }
        if actions.contains(.sendPeer) { send(slot, .peer) }
        if actions.contains(.sendApplication) { send(slot, .application) }
        if actions.contains(.receivePeer) { receive(slot, .peer) }
        if actions.contains(.receiveApplication) { receive(slot, .application) }
        if actions.contains(.finishPeer) { loop.shutdownWrite(connections[slot][.peer].descriptor) }
        if actions.contains(.finishApplication) { loop.shutdownWrite(connections[slot][.application].descriptor) }
        if actions.contains(.cancel) {
            cancelOperations(slot, .peer)
            cancelOperations(slot, .application)
            cancelRival(slot)
        }
    }

    private mutating func send(_ slot: Int32, _ leg: Leg) {
        // Safe: the buffer stays lent and in its place until the send's completion.
        unsafe loop.send(
            connections[slot][leg].descriptor, pool.unsent(connections[slot][leg].queue.head),
            connections.token(.send(leg), slot))
    }

    private mutating func receive(_ slot: Int32, _ leg: Leg) {
        loop.receive(
            connections[slot][leg].descriptor, connections.token(.receive(leg), slot),
            expectsBytes: connections[slot][leg].holdsBytes)
    }

    private mutating func cancelOperations(_ slot: Int32, _ leg: Leg) {
        let state = connections[slot].machine[leg]
        let descriptor = connections[slot][leg].descriptor
        if state.isConnecting { loop.cancel(descriptor, connections.token(connections[slot].connectOperation, slot)) }
        if state.isReceiving { loop.cancel(descriptor, connections.token(.receive(leg), slot)) }
        if state.isSending { loop.cancel(descriptor, connections.token(.send(leg), slot)) }
    }

    /// Resets the timer although its kind is the same.
    mutating func resetTimer(_ slot: Int32) {
        connections[slot].timer = .none
        setTimer(slot)
    }

    private mutating func setTimer(_ slot: Int32) {
        let wanted = connections[slot].wantedTimer
        guard wanted != connections[slot].timer else { return }
        connections[slot].timer = wanted
        if wanted == .flush, connections[slot].endedAt == 0 { connections[slot].endedAt = loop.now }
        let limits = limits
        let now = loop.now
        switch wanted {
        case .none, .release: timers.cancel(slot)
        case .detection:
            let wait = connections[slot].plan.permissive?.detectionMilliseconds ?? 0
            timers.set(slot, deadline: now + UInt64(wait) * 1_000_000)
        case .handshake:
            timers.set(slot, deadline: connections[slot].handshakeStartedAt + limits.handshakeTimeoutNanoseconds)
        case .connect:
            let timeout = limits.connectTimeoutNanoseconds
            timers.set(slot, deadline: connections[slot].dialling.deadline(now: now, timeoutNanoseconds: timeout))
        case .redial: timers.set(slot, deadline: now + limits.lingerTimeoutNanoseconds)
        case .spare: timers.set(slot, deadline: connections[slot].agesAt)
        case .idle: timers.set(slot, deadline: relayDeadline(slot, limits.idleTimeoutNanoseconds))
        case .halfClose: timers.set(slot, deadline: relayDeadline(slot, limits.halfCloseTimeoutNanoseconds))
        case .revoked: timers.set(slot, deadline: now + limits.revokedTimeoutNanoseconds)
        case .flush:
            timers.set(slot, deadline: lastEvent(slot) + limits.flushTimeoutNanoseconds)
        case .linger: timers.set(slot, deadline: now + limits.lingerTimeoutNanoseconds)
        }
    }

    /// Closes the sockets, writes the access record and frees the slot.
    private mutating func release(_ slot: Int32) {
        guard !waitsForAcknowledgement(slot) else { return }
        leaveHandshake(slot)
        if connections[slot].flow != nil { flowEnded(slot) }
        heldFlightBytes -= connections[slot].flight.count
        leaveEndpoint(slot)
        timers.cancel(slot)
        let machine = connections[slot].machine
        for leg in [Leg.peer, Leg.application] {
            connections[slot][leg].queue.removeAll(&pool)
            guard machine[leg].isOpen else { continue }
            loop.close(connections[slot][leg].descriptor, reset: machine[leg].resetsOnClose)
        }
        leaveStrangers(slot)
        if machine.mode == .inbound {
            clients.remove(Source(connections[slot].source))
            inboundConnections -= 1
        }
        if connections[slot].spareStanding == .none { emit(record(slot)) }
        listeners[connections[slot].listener].connections -= 1
        connections.remove(slot)
        if resumeAcceptAt != nil { resumeAccepting() }
    }

    /// RST would discard what the kernel has not delivered yet: wait for that, for a while.
    private mutating func waitsForAcknowledgement(_ slot: Int32) -> Bool {
        let machine = connections[slot].machine
        guard isReset(slot, .application) || machine.isPlain && isReset(slot, .peer) else { return false }
        if case .draining(let drain) = stage, drain.deadline == .max { return false }
        let waited = loop.now - connections[slot].lastActivity
        guard waited < limits.flushTimeoutNanoseconds, !machine.isRevoked,
            hasUnacknowledged(slot, .application) || machine.isPlain && hasUnacknowledged(slot, .peer)
        else { return false }
        connections[slot].timer = .release
        timers.set(slot, deadline: loop.now + Self.acknowledgementCheckNanoseconds)
        return true
    }

    /// Whether RST ends a leg that is still there.
    private func isReset(_ slot: Int32, _ leg: Leg) -> Bool {
        let machine = connections[slot].machine
        return machine.application == .socket && machine[leg].isOpen && machine[leg].resetsOnClose
            && !machine[leg].writeFailed
    }

    private func hasUnacknowledged(_ slot: Int32, _ leg: Leg) -> Bool {
        isReset(slot, leg) && loop.unacknowledgedBytes(of: connections[slot][leg].descriptor) > 0
    }

    private static var acknowledgementCheckNanoseconds: UInt64 { 20_000_000 }
}
