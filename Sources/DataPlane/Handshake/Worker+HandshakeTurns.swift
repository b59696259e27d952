import EventLoop
import Settings
import TLS

/// A handshake step takes as long as hundreds of relayed records. So established connections are served first, and
/// steps wait in order of arrival for the worker's handshake thread. Without that thread, each tick of the worker runs
/// one step; with it, the worker still runs one now and then if the thread makes no progress, because relaying leaves
/// it next to nothing of a core.
extension Worker {
    /// Holds the peer's bytes until their turn; empty if the handshake is ours to begin.
    ///
    /// They are copied, so that their buffer serves other connections meanwhile, and nothing more is received.
    mutating func handshakeReceived(_ slot: Int32, _ bytes: RawSpan) {
        // Safe: the bytes are copied at once.
        let flight = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        connections[slot].flight = flight
        connections[slot].machine.heldFlight()
        heldFlightBytes += flight.count
        handshakes.append(
            connections.token(.receivePeer, slot), of: Source(connections[slot].source),
            begins: connections[slot].machine.phase == .waiting)
    }

    /// Holds a client's first bytes: no more than a ClientHello needs.
    mutating func firstFlightReceived(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        switch FirstFlight(bytes) {
        case .take(let count):
            handshakeReceived(slot, bytes.extracting(0..<count))
            return .goesOn
        case .tooLong:
            let failure = TLSFailure.misbehaved(.messageTooLarge)
            connections[slot].code = failure.code
            connections[slot].detail = failure.detail
            queuePlainAlert(slot)
            return connections[slot].machine.end(.handshakeFailed, lingering: true)
        }
    }

    /// Whether there is handshake work that need not wait for anything.
    var hasHandshakeWork: Bool { handshakeThread == nil ? handshakes.hasStep : hasFinishedSteps }

    /// Gives waiting flights to TLS, after everything else has been submitted to the kernel.
    mutating func advanceHandshakes() {
        while giveTurnUp() {}
        if let handshakeThread {
            takeFinished(from: handshakeThread)
            submit(to: handshakeThread)
            guard handshakes.hasStep, loop.now >= ownTurnAt else { return }
            ownTurnAt = loop.now + Self.ownTurnIntervalNanoseconds
            loop.submit()
            takeTurn()
        } else if handshakes.hasStep {
            loop.submit()
            for _ in 0..<Self.stepsATick { takeTurn() }
        }
    }

    // MARK: Private

    private mutating func takeFinished(from thread: HandshakeThread) {
        guard stepsUnderway > 0 else { return }
        let finished = thread.takeFinished(Self.finishedStepsATick)
        hasFinishedSteps = finished.more
        if !finished.steps.isEmpty { ownTurnAt = loop.now + Self.threadPatienceNanoseconds }
        stepsUnderway -= finished.steps.count
        for step in finished.steps {
            guard let slot = connections.slot(of: step.connection) else { continue }
            advance(slot, after: finishStep(step, slot))
        }
    }

    private mutating func submit(to thread: HandshakeThread) {
        while stepsUnderway < Self.stepsUnderwayLimit, handshakes.hasStep {
            guard let slot = nextFlight() else { return }
            let flight = connections[slot].flight
            thread.submit(takeStep(slot, flight))
            if stepsUnderway == 0 { ownTurnAt = loop.now + Self.threadPatienceNanoseconds }
            stepsUnderway += 1
        }
    }

    private mutating func takeTurn() {
        guard let slot = nextFlight() else { return }
        let flight = connections[slot].flight
        let step = takeStep(slot, flight)
        step.run(on: exchange)
        advance(slot, after: finishStep(step, slot))
    }

    /// Ends a handshake whose peer is silent while another one waits for a turn; false if there is none to end.
    private mutating func giveTurnUp() -> Bool {
        guard handshakes.isContended else { return false }
        let silence = handshakes.givesUp(now: loop.now) { connections.standing(of: $0) }
        guard let silence, let slot = connections.slot(of: silence.connection) else { return false }
        connections[slot].detail = connections[slot].detail ?? "silent while others waited for its turn"
        advance(slot, after: connections[slot].machine.end(.handshakeTimeout))
        return true
    }

    private mutating func nextFlight() -> Int32? {
        while let token = handshakes.next() {
            guard let slot = connections.slot(of: token), connections[slot].machine.holdsFlight else { continue }
            let course = followChange(slot)
            if course == .goesOn { return slot }
            advance(slot, after: course)
        }
        return nil
    }

    /// Moves a connection to the current plan before its handshake begins; ends it if that plan has no place for it.
    private mutating func followChange(_ slot: Int32) -> ConnectionMachine.Course {
        let listener = connections[slot].listener
        guard connections[slot].session == nil,
            connections[slot].plan !== listeners[listener].plan || listeners[listener].service != .serving
        else { return .goesOn }
        let plan = listeners[listener].plan
        switch listeners[listener].service {
        case .serving: break
        case .removed: return connections[slot].machine.end(.listenerRemoved)
        case .withoutIdentity: return connections[slot].machine.end(.identityWithdrawn)
        }
        if plan.mode == .outbound {
            // It has dialled an endpoint of its previous route: the new route must have that endpoint too, or the same
            // names, of which an answer may leave the address out.
            let route = plan.route(of: connections[slot])
            guard let route, follows(plan.routes[route], slot) else {
                return connections[slot].machine.end(.routeRemoved)
            }
            connections[slot].route = route
        }
        connections[slot].plan = plan
        return .goesOn
    }

    /// More would add their time to the latency of established connections, and save no more than a microsecond each.
    static var stepsATick: Int { 1 }
    /// Applying a step's result is short, but not free.
    private static var finishedStepsATick: Int { 4 }
    /// Enough that the thread does not run out of work within a tick.
    static var stepsUnderwayLimit: Int { 8 }
    /// How long the thread may finish nothing before the worker runs steps itself.
    private static var threadPatienceNanoseconds: UInt64 { 250_000_000 }
    /// The interval of those steps: they take about a fortieth of the worker's time.
    private static var ownTurnIntervalNanoseconds: UInt64 { 10_000_000 }
}
