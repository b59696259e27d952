import EventLoop
import Policy
import Settings
import TLS

/// The first bytes of inbound clients, and clients of plaintext on a permissive listener.
extension Worker {
    mutating func openingReceived(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        switch connections[slot].opening {
        case .proxyHeader: proxyHeaderReceived(slot, bytes)
        case .detection: detect(slot, bytes)
        case .tls: firstFlightReceived(slot, bytes)
        }
    }

    /// What comes next is the client's own, not a load balancer's.
    mutating func expectClient(_ slot: Int32) -> ConnectionMachine.Course {
        guard let permissive = connections[slot].plan.permissive else {
            connections[slot].opening = .tls
            return .goesOn
        }
        connections[slot].opening = .detection
        let port = connections[slot].destinationPort
        return permissive.serverFirst.contains { $0.contains(port) } ? takePlaintext(slot, []) : .goesOn
    }

    /// The client has been silent for as long as one of TLS never is: it waits for the server to speak.
    mutating func detectionTimedOut(_ slot: Int32) -> ConnectionMachine.Course { takePlaintext(slot, []) }

    // MARK: Private

    private mutating func detect(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        // Safe: the bytes are copied at once.
        unsafe bytes.withUnsafeBytes { unsafe connections[slot].flight.append(contentsOf: $0) }
        heldFlightBytes += bytes.byteCount
        guard connections[slot].flight[0] == Self.handshakeRecord else { return takePlaintext(slot, dropFlight(slot)) }
        guard let permissive = connections[slot].plan.permissive, !permissive.terminate.isEmpty else {
            return takeTLS(slot)
        }
        // So that a flight which comes byte by byte is not read from its beginning with each of them.
        guard connections[slot].flight.count >= connections[slot].openingBytesAtLeast else { return .goesOn }
        switch ClientHello(connections[slot].flight) {
        case .incomplete(let count) where count <= FirstFlight.helloBytesAtMost:
            connections[slot].openingBytesAtLeast = count
            return .goesOn
        case .whole(let name?) where !permissive.terminates(name):
            connections[slot].passedName = name
            return takePlaintext(slot, dropFlight(slot))
        // A client that asks for no name means whoever answers.
        case .whole, .incomplete, .malformed: return takeTLS(slot)
        }
    }

    private mutating func takeTLS(_ slot: Int32) -> ConnectionMachine.Course {
        let bytes = dropFlight(slot)
        connections[slot].opening = .tls
        return unsafe firstFlightReceived(slot, bytes.span.bytes)
    }

    /// Admits a client that proves nothing, if a rule says so, and forwards its bytes as they are.
    private mutating func takePlaintext(_ slot: Int32, _ bytes: [UInt8]) -> ConnectionMachine.Course {
        connections[slot].machine.passesThrough()
        if let denial = denial(slot, rechecksPeer: false) {
            connections[slot].detail = connections[slot].detail ?? Self.unauthenticated
            return connections[slot].machine.end(denial.atAdmission)
        }
        countPlaintext(slot)
        let course: ConnectionMachine.Course
        switch connections[slot].machine.authorized(application(slot)) {
        case .dials: course = dial(slot) == .goesOn ? queuePreface(slot) : .isOver
        case .relays: course = .goesOn
        case .isOver: return .isOver
        }
        leaveStrangers(slot)
        guard course == .goesOn else { return .isOver }
        // What was held and what came then may be more than one buffer takes.
        var rest = unsafe bytes.span.bytes
        while !rest.isEmpty {
            let count = min(rest.byteCount, BufferPool.bufferBytes)
            guard copyBytes(slot, rest.extracting(0..<count), from: .peer) == .goesOn else { return .isOver }
            rest = rest.extracting(count..<rest.byteCount)
        }
        return .goesOn
    }

    /// Takes what was held.
    private mutating func dropFlight(_ slot: Int32) -> [UInt8] {
        heldFlightBytes -= connections[slot].flight.count
        defer { connections[slot].flight = [] }
        return connections[slot].flight
    }

    private func countPlaintext(_ slot: Int32) {
        guard let route = connections[slot].route else { return }
        let plan = connections[slot].plan
        plaintextCounts.add(listener: plan.name, route: plan.routes[route].name)
    }

    /// The first byte of a ClientHello's record (RFC 8446, 5.1); no protocol in plaintext in use begins with it.
    private static var handshakeRecord: UInt8 { 22 }
    private static var unauthenticated: String { "the client sent plaintext, and no rule lets it in unauthenticated" }
}
