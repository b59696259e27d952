import EventLoop
import Settings
import TLS

/// A step of a handshake takes as long as hundreds of relayed records. So those who relay are served first, and the
/// rest wait in the order in which they came, for the worker's thread for handshakes. Where there is none, each tick of
/// the worker takes one step; and so it does now and then where the thread gets nothing done, because who relays leaves
/// it next to nothing of a core.
extension Worker {
    /// The peer's bytes wait for their turn; empty where it is ours to begin.
    ///
    /// They are copied, so that the buffer that they came in serves others meanwhile, and nothing more is received.
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

    /// The first bytes of a client: of a ClientHello no more is held than is needed.
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

    /// There is something to do for handshakes without waiting for anything.
    var hasHandshakeWork: Bool { handshakeThread == nil ? handshakes.hasStep : hasFinishedSteps }

    /// Gives flights that wait to TLS, once all else has been handed to the kernel.
    mutating func shakeHands() {
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

    /// Ends a handshake whose peer is silent while another one waits for its turn; false where there is none to end.
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

    /// Before its handshake begins, a connection goes over to what holds now; it ends where that has no place for it.
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
            // It has dialled an endpoint of the route as it was: another route must lead there too.
            let route = plan.route(
                serverName: nil, applicationProtocol: nil, destinationPort: connections[slot].destinationPort)
            guard let route, connections[slot].dialled.follow(plan.routes[route].endpoints) else {
                return connections[slot].machine.end(.routeRemoved)
            }
            connections[slot].route = route
        }
        connections[slot].plan = plan
        return .goesOn
    }

    /// More would add their time to the latency of all who relay, and save no more than a microsecond each.
    static var stepsATick: Int { 1 }
    /// What follows a step is short, but not nothing.
    private static var finishedStepsATick: Int { 4 }
    /// Enough that the thread does not run out of work within a tick.
    static var stepsUnderwayLimit: Int { 8 }
    /// How long the thread may finish nothing until the worker takes turns itself.
    private static var threadPatienceNanoseconds: UInt64 { 250_000_000 }
    /// From then on: a fortieth of the worker's time or so.
    private static var ownTurnIntervalNanoseconds: UInt64 { 10_000_000 }
}
