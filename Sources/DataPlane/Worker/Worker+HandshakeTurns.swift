import EventLoop

/// A step of a handshake keeps the worker from all others for as long as hundreds of relayed records. So those who relay
/// are served first, each tick runs a bounded number of steps, and the rest wait in the order in which they came.
extension Worker {
    /// The peer's bytes wait for their turn; empty where it is ours to begin.
    ///
    /// They are copied, so that the buffer that they came in serves others meanwhile, and nothing more is received.
    mutating func handshakeReceived(_ slot: Int32, _ bytes: RawSpan) {
        guard heldFlightBytes + bytes.byteCount <= plan.limits.heldFlightBytes else {
            // Memory is worth more than the order.
            let mayRun = connections[slot].machine.phase == .handshaking || hasFreeHandshake
            return mayRun ? continueHandshake(slot, bytes) : connections[slot].machine.end(.overloaded)
        }
        // Safe: the bytes are copied at once.
        connections[slot].flight = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
        connections[slot].machine.heldFlight()
        heldFlightBytes += bytes.byteCount
        flights.append(connections.token(.receivePeer, slot))
    }

    /// A step of a handshake can be taken now.
    var hasHandshakeTurn: Bool { !flights.isEmpty || (hasFreeHandshake && !waiting.isEmpty) }

    /// Gives some of the flights that wait to TLS, once all else has been handed to the kernel.
    mutating func shakeHands() {
        guard hasHandshakeTurn else { return }
        loop.submit()
        for _ in 0..<Self.stepsATick {
            guard let slot = nextFlight() else { return }
            let flight = connections[slot].flight
            connections[slot].flight = []
            connections[slot].machine.tookFlight()
            heldFlightBytes -= flight.count
            unsafe continueHandshake(slot, flight.span.bytes)
            advance(slot)
        }
    }

    // MARK: Private

    private var hasFreeHandshake: Bool { handshakes < plan.limits.concurrentHandshakes }

    private mutating func nextFlight() -> Int32? {
        while true {
            // Whoever waits for another handshake's end came before all that are in `flights`.
            guard let token = (hasFreeHandshake ? waiting.popFirst() : nil) ?? flights.popFirst() else { return nil }
            guard let slot = connections.slot(of: token), connections[slot].machine.holdsFlight else { continue }
            guard connections[slot].machine.phase == .waiting, !hasFreeHandshake else { return slot }
            waiting.append(token)
        }
    }

    /// More would add their time to the latency of all who relay, and save no more than a microsecond each.
    static var stepsATick: Int { 1 }
}
