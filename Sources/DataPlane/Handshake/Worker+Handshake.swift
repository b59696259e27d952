import EventLoop
import Policy
import Settings
import TLS

extension Worker {
    /// Makes the step of a connection whose turn has come: the step owns the session until it is finished.
    mutating func takeStep(_ slot: Int32, _ flight: [UInt8]) -> HandshakeStep {
        let listener = connections[slot].listener
        let mode = connections[slot].machine.mode
        let hasBegun = connections[slot].session != nil
        // A session that has begun keeps its own context.
        let context = listeners[listener].contexts[mode == .inbound || hasBegun ? 0 : connections[slot].route ?? 0]
        if !hasBegun { connections[slot].handshakeRound = round }
        // Those that we begin ourselves do not count: a server that never answers must not keep our clients waiting.
        if connections[slot].machine.phase == .waiting {
            connections[slot].countsAsHandshake = true
            handshakes.began(Source(connections[slot].source))
            connections[slot].machine.admitted()
        }
        return HandshakeStep(
            connections.token(.receivePeer, slot), context, endpoint: connections[slot].dialledAddress,
            connections[slot].session.take(), flight: flight)
    }

    /// Applies the result of a step, unless its connection has ended meanwhile.
    ///
    /// - Parameter slot: of the step's connection.
    mutating func finishStep(_ step: HandshakeStep, _ slot: Int32) -> ConnectionMachine.Course {
        guard connections[slot].machine.holdsFlight else { return connections[slot].machine.course }
        connections[slot].session = step.takeSession(for: exchange)
        connections[slot].machine.tookFlight()
        heldFlightBytes -= connections[slot].flight.count
        connections[slot].flight = []
        let isQueued = queue(step.output, slot)
        switch step.outcome {
        case .handshake(.wantsBytes):
            // The peer cannot continue without this flight, for which there is no buffer.
            guard isQueued else { return connections[slot].machine.end(.overloaded) }
            if connections[slot].countsAsHandshake { fellSilent(slot, step) }
            return .goesOn
        case .handshake(.complete):
            guard isQueued else { return connections[slot].machine.end(.overloaded) }
            leaveHandshake(slot)
            connections[slot].handshakeNanoseconds = Int64(loop.now - connections[slot].handshakeStartedAt)
            let flight = step.flight
            let consumed = step.consumed
            return unsafe handshakeCompleted(slot, flight.span.bytes.extracting(consumed..<flight.count))
        case .handshake(.failed(let failure)):
            connections[slot].code = failure.code
            connections[slot].detail = failure.detail
            switch failure {
            case .refused: return handshakeFailed(slot, .certificateRefused, lingering: true)
            // Another endpoint would change nothing.
            case .fault, .closedByUs: return connections[slot].machine.end(.handshakeFailed, lingering: true)
            default: return handshakeFailed(slot, .handshakeFailed, lingering: true)
            }
        case .noSession(let fault):
            connections[slot].detail = "\(fault)"
            return connections[slot].machine.end(.overloaded)
        }
    }

    /// Removes it from the handshakes in progress.
    mutating func leaveHandshake(_ slot: Int32) {
        guard connections[slot].countsAsHandshake else { return }
        connections[slot].countsAsHandshake = false
        handshakes.ended(Source(connections[slot].source))
    }

    // MARK: Private

    /// Puts a flight into the peer's send queue; false if there is no buffer for it.
    private mutating func queue(_ flight: [UInt8], _ slot: Int32) -> Bool {
        guard !flight.isEmpty else { return true }
        guard let buffer = pool.take() else { return false }
        // Safe: a flight is at most `TLSSession.flightBytes`, far less than a buffer.
        let memory = unsafe pool.memory(buffer)
        unsafe flight.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        enqueue(buffer, flight.count, slot, .peer)
        return true
    }

    /// The peer owes us its next flight. A step that did not advance the handshake does not end its silence.
    private mutating func fellSilent(_ slot: Int32, _ step: HandshakeStep) {
        if !step.output.isEmpty { connections[slot].isAnswered = true }
        guard !step.output.isEmpty || connections[slot].silentSince == 0 else { return }
        connections[slot].silentSince = loop.now
        let silence = HandshakeQueue.Silence(
            connection: step.connection, source: Source(connections[slot].source), since: loop.now)
        handshakes.fellSilent(silence) { connections.standing(of: $0) }
    }

    private mutating func handshakeCompleted(_ slot: Int32, _ rest: RawSpan) -> ConnectionMachine.Course {
        if connections[slot].spareStanding != .none {
            guard spareIsReady(slot) == .goesOn else { return .isOver }
            return openRecords(slot, rest)
        }
        // The plan that the handshake began with, and may have verified the peer by, may have changed.
        if let denial = denial(slot, rechecksPeer: connections[slot].handshakeRound != round) {
            connections[slot].code = denial.code
            return refuse(slot, denial.atAdmission)
        }
        let application = self.application(slot)
        let course: ConnectionMachine.Course
        switch connections[slot].machine.authorized(application) {
        case .dials: course = dial(slot) == .goesOn ? queuePreface(slot) : .isOver
        case .relays:
            endpointServes(slot)
            course = .goesOn
        case .isOver: return .isOver
        }
        leaveStrangers(slot)
        guard course == .goesOn else { return .isOver }
        // Bytes that follow the handshake were sent by a peer that is authorized now.
        return openRecords(slot, rest)
    }

    /// Where an admitted connection's bytes go.
    func application(_ slot: Int32) -> ConnectionMachine.Application {
        guard let route = connections[slot].route else { return .socket }
        switch connections[slot].plan.routes[route].builtin {
        case nil: return .socket
        case .echo: return .echo
        case .discard: return .discard
        case .source: return .source
        }
    }

    mutating func refuse(_ slot: Int32, _ reason: CloseReason) -> ConnectionMachine.Course {
        if let buffer = pool.take() {
            var output = output(buffer)
            connections[slot].refuse(into: &output)
            enqueue(buffer, output.byteCount, slot, .peer)
        }
        return connections[slot].machine.end(reason, lingering: true)
    }
}

extension ConnectionSlab {
    func standing(of silence: HandshakeQueue.Silence) -> HandshakeQueue.Standing {
        guard let slot = slot(of: silence.connection), self[slot].countsAsHandshake,
            self[slot].silentSince == silence.since
        else { return .over }
        return self[slot].machine.holdsFlight ? .heard : .silent
    }
}
