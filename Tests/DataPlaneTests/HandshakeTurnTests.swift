import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import EventLoop

@Suite("Handshake turns")
struct HandshakeTurnTests {
    @Test("a tick runs one handshake step, in the clients' order of arrival, and the next tick does not sleep")
    func storm() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none)
        let clients = try clients(30, of: world)
        for client in clients { client.act(20_000) }
        #expect(try world.turn { world.worker.handshakes.hasStep })
        let start = world.network.now
        var answered = 0
        var begun = world.worker.handshakes.inProgress
        for _ in 0..<200 where answered < clients.count {
            try world.step()
            #expect(world.worker.handshakes.inProgress - begun <= Worker.stepsATick)
            begun = world.worker.handshakes.inProgress
            let answers = clients.map { $0.socket.unread > 0 }
            answered = answers.count { $0 }
            #expect(answers.prefix(answered).allSatisfy { $0 }, "one was served before another that had come earlier")
        }
        #expect(answered == clients.count)
        #expect(world.network.now - start < 1_000_000, "the worker slept while a flight was waiting")
        #expect(try allEstablished(clients, world))
        try end(clients, world)
    }

    @Test("established connections are served as fast during a storm of handshakes as without one")
    func establishedFirst() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none)
        let calm = try echoClient(world, 200)
        #expect(try world.turn { self.act([calm]) { calm.isEstablished && calm.isIdle } })
        let without = try ticksOfAnEcho(calm, world)
        let clients = try clients(40, of: world)
        for client in clients { client.act(20_000) }
        #expect(try world.turn { world.worker.handshakes.hasStep })
        for _ in 0..<5 {
            #expect(try ticksOfAnEcho(calm, world) <= without)
            let stormGoesOn = world.worker.handshakes.hasStep
            #expect(stormGoesOn)
        }
        #expect(try allEstablished(clients, world))
        #expect(calm.plaintext.isTrue)
        try end(clients + [calm], world)
    }

    @Test("however few handshakes may be in progress, every client's turn comes", arguments: [1, 3])
    func nobodyStarves(concurrent: Int) throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, limits: "{concurrentHandshakes: \(concurrent)}")
        let clients = try clients(25, of: world)
        let isDone = try world.turn {
            #expect(world.worker.handshakes.inProgress <= concurrent)
            return self.act(clients) { clients.allSatisfy(\.isEstablished) }
        }
        #expect(isDone)
        try end(clients, world)
    }

    @Test("a silent client takes no turn, and its time-out runs from the accept")
    func silentClients() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, limits: "{concurrentHandshakes: 1}")
        let silent = (0..<5).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(100 + $0)) }
        #expect(try world.turn { world.worker.activeConnections == silent.count })
        let start = world.network.now
        let clients = try clients(1, of: world)
        #expect(
            try world.turn { self.act(clients) { clients[0].isEstablished && world.worker.handshakes.inProgress == 0 } }
        )
        #expect(world.network.now - start < 100_000_000)
        #expect(try world.turn { silent.allSatisfy { $0.isFinished || $0.wasReset } })
        #expect(world.network.now - start < 11_000_000_000)
        let reasons = world.records.map(\.closeReason)
        #expect(reasons == Array(repeating: CloseReason.handshakeTimeout.rawValue, count: silent.count))
        for socket in silent { socket.close() }
        try end(clients, world)
    }

    @Test("if the handshake thread makes no progress, the worker runs steps itself")
    func starvedThread() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none)
        let thread = try HandshakeThread(wake: Wake(descriptor: -1))
        thread.stop()
        world.worker.handshakeThread = thread
        let clients = try clients(30, of: world)
        let start = world.network.now
        let isDone = try world.turn {
            self.act(clients) { clients.count { $0.isEstablished } == clients.count - Worker.stepsUnderwayLimit }
        }
        #expect(isDone)
        #expect(world.network.now - start < 5_000_000_000)
        // Connections whose steps the thread has time out as usual, and hold nothing.
        let reasons = { world.records.map(\.closeReason).filter { $0 == CloseReason.handshakeTimeout.rawValue } }
        #expect(try world.turn { reasons().count == Worker.stepsUnderwayLimit })
        #expect(world.worker.handshakes.inProgress == 0 && world.worker.heldFlightBytes == 0)
        try end(clients, world)
    }

    @Test("a client that leaves while it waits for its turn is skipped")
    func gone() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, limits: "{concurrentHandshakes: 1}")
        let clients = try clients(3, of: world)
        for client in clients { client.act(20_000) }
        #expect(try world.turn { clients[0].socket.unread > 0 })
        // The first one has the only turn and keeps it; meanwhile all of them time out.
        world.network.advance(nanoseconds: 10_100_000_000)
        #expect(try world.turn { world.records.count == 3 })
        #expect(world.worker.handshakes.inProgress == 0 && world.worker.heldFlightBytes == 0)
        for client in clients { client.socket.close() }
        let next = try self.clients(1, of: world)
        #expect(try world.turn { self.act(next) { next[0].isEstablished } })
        try end(next, world)
    }

    @Test(
        "as many flights may wait as there are connections, each of one ClientHello at most, and no connection is ended for it"
    )
    func memory() throws {
        // Seed 0 has receive buffers of 64 KiB.
        let world = try SimulatedWorld(seed: 0, faults: .none)
        // The header of a handshake record and of a hello of 16,380 bytes, which never ends.
        let hello = [22, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xFC, 3, 3] + [UInt8](repeating: 7, count: 16_000)
        let sockets = (0..<1_200).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from($0)) }
        var rest = sockets.map { _ in hello[...] }
        var most = 0
        let isOver = try world.turn(20_000) {
            for (index, socket) in sockets.enumerated() where !rest[index].isEmpty {
                rest[index].removeFirst(socket.write(rest[index]))
            }
            most = max(most, world.worker.heldFlightBytes)
            return world.records.count == sockets.count
        }
        #expect(isOver)
        #expect(most <= sockets.count * hello.count)
        #expect(most > sockets.count * hello.count / 2, "\(most) bytes at most: this tests nothing")
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.handshakeTimeout.rawValue })
        for socket in sockets { socket.close() }
        #expect(try world.turn { world.isQuiet })
        #expect(world.worker.heldFlightBytes == 0)
    }

    // MARK: Clients

    private func clients(_ count: Int, of world: SimulatedWorld) throws -> [TLSClient] {
        try (0..<count).map { index in
            let socket = world.network.connectPeer(to: SimulatedWorld.echo, from: world.from(index))
            return try TLSClient(
                socket, as: TestIdentities.shared.allowed, sending: Stream(number: 0, length: 0), answer: 0,
                closing: false)
        }
    }

    private func echoClient(_ world: SimulatedWorld, _ index: Int) throws -> TLSClient {
        let socket = world.network.connectPeer(to: SimulatedWorld.echo, from: world.from(index))
        return try TLSClient(
            socket, as: TestIdentities.shared.allowed, sending: Stream(number: 0, length: 5_000), answer: 0,
            closing: false)
    }

    /// Ticks from a request of the client to the last byte of its echo.
    private func ticksOfAnEcho(_ client: TLSClient, _ world: SimulatedWorld) throws -> Int {
        client.act(20_000, sending: 100)
        let asked = client.plaintext.received + 100
        for tick in 1...50 {
            try world.step()
            client.act(20_000, sending: 0)
            if client.plaintext.received == asked { return tick }
        }
        return .max
    }

    private func act(_ clients: [TLSClient], _ condition: () -> Bool) -> Bool {
        for client in clients { client.act(20_000, sending: 0) }
        return condition()
    }

    private func allEstablished(_ clients: [TLSClient], _ world: SimulatedWorld) throws -> Bool {
        try world.turn { self.act(clients) { clients.allSatisfy(\.isEstablished) } }
    }

    private func end(_ clients: [TLSClient], _ world: SimulatedWorld) throws {
        for client in clients { client.socket.close() }
        #expect(try world.turn { world.isQuiet })
        #expect(world.worker.handshakes.inProgress == 0)
    }
}
