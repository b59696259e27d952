import EventLoop
import Glibc
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

@Suite("A worker in trouble")
struct SimulatedTroubleTests {
    @Test(
        "an accept that keeps failing is retried now and then, and reported more rarely",
        arguments: [EMFILE, ENOSPC, EPERM])
    func failingAccept(code: Int32) throws {
        var faults = SimulatedFaults.none
        faults.failedAccepts = 1
        faults.acceptErrno = code
        let world = try SimulatedWorld(seed: 1, faults: faults)
        let socket = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(0))
        let start = world.network.now
        var told = 0
        for _ in 0..<200 {
            try world.step()
            guard let trouble = world.worker.takeAcceptTrouble() else { continue }
            #expect(trouble == code)
            told += 1
        }
        let elapsed = world.network.now - start
        #expect(elapsed > 200_000_000, "the worker spins")
        #expect(told >= 1 && told <= 1 + elapsed / 10_000_000_000)
        world.network.faults = .none
        #expect(try world.turn { world.worker.acceptedConnections > 0 })
        socket.close()
    }

    @Test("an endpoint that does not answer in time is followed by the next one")
    func hangingEndpoint() throws {
        let world = try SimulatedWorld(
            seed: 1, faults: .none, endpoints: ["127.0.0.1:19001", "127.0.0.1:19000"], upstream: ", balance: first")
        let hanging = SocketAddress(v4: 0x7F00_0001, port: 19001)
        world.network.backend(at: hanging).behaviour = .hangs
        let application = world.network.backend(at: SimulatedWorld.application)
        let client = try client(world, TestIdentities.shared.allowed)
        #expect(try world.turn { act(client) { application.waiting > 0 } })
        #expect(world.network.dials(to: hanging) == 1)
        let socket = try #require(application.takeConnection())
        #expect(try world.turn { act(client) { socket.unread == 5000 } })
        try end(world, client, socket)
        #expect(world.records.map(\.upstream) == ["127.0.0.1:19000"])
    }

    @Test("if no endpoint answers in time, the connection ends with that reason")
    func hangingEndpoints() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, endpoints: ["127.0.0.1:19001", "127.0.0.1:19000"])
        for port in [19000, 19001] as [UInt16] {
            world.network.backend(at: SocketAddress(v4: 0x7F00_0001, port: port)).behaviour = .hangs
        }
        let client = try client(world, TestIdentities.shared.allowed)
        #expect(try world.turn { act(client) { world.records.count == 1 } })
        #expect(world.records.map(\.closeReason) == [CloseReason.connectTimeout.rawValue])
        #expect(world.isQuiet)
    }

    @Test("bytes right after the handshake that no upstream received count as discarded, not as sent")
    func discardedBytes() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none)
        world.network.backend(at: SimulatedWorld.application).behaviour = .hangs
        let client = try client(world, TestIdentities.shared.allowed)
        let isOver = try world.turn {
            client.act(20_000, sending: 400)
            return world.records.count == 1
        }
        #expect(isOver)
        #expect(world.records.map(\.closeReason) == [CloseReason.connectTimeout.rawValue])
        #expect(world.records[0].bytesToUpstream == 0)
        #expect(world.records[0].bytesDiscarded >= 400)
        #expect(world.isQuiet)
    }

    @Test(
        "of a client's first bytes no more is held than a ClientHello may have",
        arguments: [
            // The lengths in the record's and the message's header; then zeros.
            ([22, 3, 1, 0x40, 0, 1, 0, 0xFF, 0xFF], 9, "message-too-large"),
            ([22, 3, 1, 0x40, 0, 1, 0, 0x3F, 0xFC], 20_000, "message-too-large"),
            ([0x80], 60_000, "not-tls"),
        ] as [([UInt8], Int, String)])
    func firstFlight(beginning: [UInt8], count: Int, code: String) throws {
        let world = try SimulatedWorld(seed: 8, faults: .none)
        let socket = world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(0))
        let bytes = beginning + [UInt8](repeating: 0, count: count - beginning.count)
        #expect(socket.write(bytes) == count)
        var held = 0
        let isOver = try world.turn {
            held = max(held, world.worker.heldFlightBytes)
            if socket.unread > 0 || socket.isFinished { socket.close() }
            return world.records.count == 1
        }
        #expect(isOver)
        #expect(world.records.first?.closeCode == code)
        #expect(world.records.first?.closeReason == CloseReason.handshakeFailed.rawValue)
        #expect(held <= FirstFlight.helloBytesAtMost)
        #expect(world.isQuiet)
    }

    @Test("a server that never answers a handshake does not keep clients waiting for their turn")
    func silentServer() throws {
        let world = try SimulatedWorld(
            seed: 1, faults: .none, limits: "{concurrentHandshakes: 1}", servers: ["127.0.0.1:19001"])
        let silent = world.network.backend(at: SocketAddress(v4: 0x7F00_0001, port: 19001))
        let caller = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(1))
        #expect(try world.turn { silent.waiting > 0 })
        let start = world.network.now
        let client = try client(world, TestIdentities.shared.allowed)
        #expect(try world.turn { act(client) { client.isEstablished } })
        #expect(world.network.now - start < 1_000_000_000)
        caller.close()
        silent.takeConnection()?.close()
        try end(world, client, nil)
    }

    @Test("a refused connection that still lingers does not count as cut by the drain")
    func refusedIsNotCut() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none)
        let client = try client(world, TestIdentities.shared.intruder)
        #expect(try world.turn { act(client) { client.failure != nil } })
        #expect(world.worker.activeConnections == 1)
        world.worker.cutAll()
        #expect(try world.turn { world.worker.isFinished })
        #expect(world.worker.cutConnectionCount == 0)
    }

    @Test("a session is resumed with the endpoint that gave it")
    func resumption() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, servers: ["127.0.0.1:15443", "127.0.0.1:15444"])
        let application = world.network.backend(at: SimulatedWorld.application)
        for index in 0..<4 {
            let caller = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(index))
            _ = caller.write([1])
            var socket: PeerSocket?
            _ = try world.turn {
                socket = socket ?? application.takeConnection()
                return caller.unread > 0 || socket?.unread ?? 0 > 0
            }
            _ = caller.read()
            _ = socket?.read()
            caller.close()
            socket?.close()
            #expect(try world.turn { world.isQuiet })
        }
        #expect(world.records.filter { $0.listener == "out" }.map(\.resumed) == [false, false, true, true])
    }

    // MARK: Clients

    private func client(_ world: SimulatedWorld, _ material: IdentityMaterial) throws -> TLSClient {
        let socket = world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(0))
        return try TLSClient(socket, as: material, sending: Stream(number: 0, length: 5000), answer: 100)
    }

    private func act(_ client: TLSClient, _ condition: () -> Bool) -> Bool {
        client.act(20_000)
        return condition()
    }

    private func end(_ world: SimulatedWorld, _ client: TLSClient, _ application: PeerSocket?) throws {
        client.socket.close()
        application?.close()
        let backend = world.network.backend(at: SimulatedWorld.application)
        let isQuiet = try world.turn {
            backend.takeConnection()?.close()
            return world.isQuiet
        }
        #expect(isQuiet)
    }
}
