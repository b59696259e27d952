import TLS

/// The blocks between the two ends of a connection, and their windows; used by one connection at a time.
final class MemoryWires {
    let clientExchange: RecordExchange
    let serverExchange: RecordExchange
    let toServer = ByteBlock(capacityBytes: 2 * TLSSession.flightBytes)
    let toClient = ByteBlock(capacityBytes: 2 * TLSSession.flightBytes)
    let plaintext = ByteBlock(capacityBytes: TLSSession.openCapacity(inputBytes: 2 * TLSSession.flightBytes))

    init() throws {
        clientExchange = try RecordExchange()
        serverExchange = try RecordExchange()
    }
}

/// Both ends of one connection, connected in memory.
struct MemoryPair: ~Copyable {
    var client: TLSSession
    var server: TLSSession

    /// Two sessions after the handshake.
    static func joined(
        _ contexts: (client: TLSContext, server: TLSContext), _ wires: MemoryWires
    ) throws -> MemoryPair {
        var pair = try MemoryPair(contexts, wires)
        try pair.shakeHands(wires)
        return pair
    }

    private init(_ contexts: (client: TLSContext, server: TLSContext), _ wires: MemoryWires) throws {
        let client = try TLSSession(contexts.client, exchange: wires.clientExchange)
        let server = try TLSSession(contexts.server, exchange: wires.serverExchange)
        self.client = client
        self.server = server
    }

    /// Performs the handshake; the client also processes the server's tickets.
    private mutating func shakeHands(_ wires: MemoryWires) throws {
        wires.toServer.removeAll()
        wires.toClient.removeAll()
        wires.plaintext.removeAll()
        try callClient(wires, expecting: .wantsBytes)
        try callServer(wires, expecting: .wantsBytes)
        try callClient(wires, expecting: .complete)
        try callServer(wires, expecting: .complete)
        guard wires.toClient.count > 0 else { return }
        let input = wires.toClient
        let opened = wires.plaintext.append { client.open(input.bytes, into: &$0) }
        guard opened == .open else { throw MicroBenchFault.session("opening tickets: \(opened)") }
    }

    private mutating func callClient(_ wires: MemoryWires, expecting expected: HandshakeOutcome) throws {
        let input = wires.toClient
        let step = wires.toServer.append { client.handshake(input.bytes, into: &$0) }
        try Self.check(step, expected, input)
    }

    private mutating func callServer(_ wires: MemoryWires, expecting expected: HandshakeOutcome) throws {
        let input = wires.toServer
        let step = wires.toClient.append { server.handshake(input.bytes, into: &$0) }
        try Self.check(step, expected, input)
    }

    private static func check(
        _ step: (outcome: HandshakeOutcome, consumed: Int), _ expected: HandshakeOutcome, _ input: ByteBlock
    ) throws {
        guard step.outcome == expected, step.consumed == input.count else {
            throw MicroBenchFault.session("a handshake came to \(step), expected \(expected)")
        }
        input.removeAll()
    }
}
