import EventLoop
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane

private func address(_ host: UInt32, _ port: Int = 0) -> SocketAddress {
    SocketAddress(v4: 0x0A00_0000 + host, port: UInt16(20_000 + port))
}

@Suite("Admission")
struct AdmissionTests {
    @Test("waiting handshakes are served round-robin by source")
    func rotation() {
        var queue = HandshakeQueue(limit: 100, patienceNanoseconds: 10)
        for index in 0..<50 { queue.append(token(index), of: Source(address(1, index)), begins: true) }
        queue.append(token(100), of: Source(address(2)), begins: true)
        #expect(queue.next()?.slot == 0)
        #expect(queue.next()?.slot == 100)
        for index in 1..<50 { #expect(queue.next()?.slot == UInt32(index)) }
        #expect(queue.next() == nil)
    }

    @Test("handshakes in progress and clients that wait for a turn are served alternately")
    func alternation() {
        var queue = HandshakeQueue(limit: 100, patienceNanoseconds: 10)
        for index in 0..<4 {
            queue.append(token(index), of: Source(address(1)), begins: true)
            queue.append(token(10 + index), of: Source(address(1)), begins: false)
        }
        let order = (0..<8).compactMap { _ in queue.next()?.slot }
        #expect(order.map { $0 >= 10 } == [false, true, false, true, false, true, false, true])
    }

    @Test(
        "no turn is given up unless another source waits; then the source with the most loses one that was silent long enough"
    )
    func givingUp() {
        var queue = HandshakeQueue(limit: 4, patienceNanoseconds: 10)
        let hog = Source(address(1))
        let other = Source(address(2))
        for (index, source) in [other, hog, hog, hog].enumerated() {
            queue.began(source)
            queue.fellSilent(
                HandshakeQueue.Silence(connection: token(index), source: source, since: UInt64(index))
            ) { _ in .silent }
        }
        #expect(queue.givesUp(now: 1_000) { _ in .silent } == nil)
        #expect(queue.nextGivingUp == nil)
        queue.append(token(9), of: other, begins: true)
        #expect(!queue.hasStep && queue.nextGivingUp == 10)
        #expect(queue.givesUp(now: 9) { _ in .silent } == nil)
        // The other source's is silent longest, but the hog has three; its second one has advanced meanwhile.
        #expect(queue.givesUp(now: 1_000) { $0.connection != token(1) ? .silent : .heard }?.connection == token(2))
        queue.ended(hog)
        #expect(queue.hasStep && queue.next() == token(9))
    }

    @Test("silences that are over are forgotten, even if no client ever waits for a turn")
    func forgotten() {
        var queue = HandshakeQueue(limit: 10, patienceNanoseconds: 10)
        for index in 0..<100_000 {
            let silence = HandshakeQueue.Silence(
                connection: token(index % 5), source: Source(address(1)), since: UInt64(index))
            queue.fellSilent(silence) { $0.since + 5 > UInt64(index) ? .silent : .over }
        }
        #expect(queue.rememberedSilences <= 2 * 10 + HandshakeQueue.sparePlaces + 1)
    }

    @Test(
        "a flood of half-open handshakes, from one address or from many, leaves a turn for a client without one",
        arguments: [(turns: 16, flood: 200, addresses: 1, taken: 14), (128, 300, 100, 112)])
    func halfOpenFlood(turns: Int, flood: Int, addresses: Int, taken: Int) throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{concurrentHandshakes: \(turns)}")
        let clients = try (0..<flood).map { index in
            // They send a ClientHello and nothing after it.
            let client = try self.client(world, from: address(100 + UInt32(index % addresses), index))
            client.act(20_000)
            return client
        }
        #expect(try world.turn { world.worker.handshakes.inProgress == taken })
        let start = world.network.now
        let honest = try client(world, from: address(2))
        #expect(
            try world.turn(20_000) {
                honest.act(20_000)
                return honest.isEstablished
            })
        #expect(world.network.now - start < 50_000_000, "\((world.network.now - start) / 1_000_000) ms")
        for client in clients + [honest] { client.socket.close() }
        #expect(try world.turn(20_000) { world.isQuiet })
        #expect(world.worker.handshakes.inProgress == 0)
    }

    @Test("a table full of silent strangers, each from its own address, has a slot for another client")
    func spreadStrangers() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connections: 40}")
        let silent = (0..<40).map {
            world.network.connectPeer(to: SimulatedWorld.inbound, from: address(100 + UInt32($0)))
        }
        #expect(try world.turn { world.worker.activeConnections == 40 })
        let early = world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1))
        #expect(try world.turn { early.wasReset })
        world.network.advance(nanoseconds: 150_000_000)
        let honest = try client(world, from: address(2))
        #expect(
            try world.turn {
                honest.act(20_000)
                return honest.isEstablished
            })
        honest.socket.close()
        for socket in silent { socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("a client that trickles handshake bytes counts as silent")
    func drippers() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{concurrentHandshakes: 8}")
        let drippers = try (0..<20).map { index in
            let client = try self.client(world, from: address(1, index))
            client.act(20_000)
            return client
        }
        #expect(try world.turn { world.worker.handshakes.inProgress == 7 })
        // The header of a record, and then a byte of it now and then.
        for client in drippers { _ = client.socket.write([23, 3, 3, 0x40, 0]) }
        for _ in 0..<35 {
            for client in drippers { _ = client.socket.write([7]) }
            world.network.advance(nanoseconds: 100_000_000)
            for _ in 0..<10 { try world.step() }
        }
        // Three times seven turns in three and a half seconds: the last ones have begun, and no client was left out.
        #expect(world.records.count >= 13, "\(world.records.count) have given their turns up")
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.handshakeTimeout.rawValue })
        for client in drippers { client.socket.close() }
        #expect(try world.turn(20_000) { world.isQuiet })
    }

    @Test("a table full of strangers from one address has a slot for a client from another")
    func fullTable() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connections: 40}")
        // As many from one address as it may have, and then from four others.
        let hogs = (0..<32).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1, $0)) }
        #expect(try world.turn { world.worker.activeConnections == 32 })
        // One more from the same address is refused.
        let more = world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1, 99))
        #expect(try world.turn { more.wasReset })
        #expect(world.records.map(\.closeReason) == [CloseReason.sourceLimit.rawValue])
        let others = (0..<8).map {
            world.network.connectPeer(to: SimulatedWorld.inbound, from: address(10 + UInt32($0)))
        }
        let silent = hogs + others
        #expect(try world.turn { world.worker.activeConnections == 40 })
        let honest = try (0..<3).map { try client(world, from: address(2, $0)) }
        #expect(
            try world.turn {
                for client in honest { client.act(20_000) }
                return honest.allSatisfy(\.isEstablished)
            })
        #expect(silent.count(where: \.wasReset) + silent.count(where: \.isFinished) >= 3)
        for client in honest { client.socket.close() }
        for socket in silent { socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("an admitted source with as many connections as it can get leaves a fifth for others")
    func admittedHog() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connections: 20}")
        let hog = try (0..<30).map { try client(world, from: address(1, $0)) }
        #expect(
            try world.turn {
                for client in hog { client.act(20_000) }
                return hog.allSatisfy { $0.isEstablished || $0.isOver }
            })
        #expect(hog.count(where: \.isEstablished) == 16)
        let others = try (0..<4).map { try client(world, from: address(2 + UInt32($0))) }
        #expect(
            try world.turn {
                for client in others { client.act(20_000) }
                return others.allSatisfy(\.isEstablished)
            })
        for client in hog + others { client.socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("an address at its limit loses a silent connection to a new one of its own")
    func sameSource() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connectionsPerSource: 3}")
        let silent = (0..<3).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1, $0)) }
        #expect(try world.turn { world.worker.activeConnections == 3 })
        let early = world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1, 9))
        #expect(try world.turn { early.wasReset })
        world.network.advance(nanoseconds: 1_100_000_000)
        let honest = try client(world, from: address(1, 10))
        #expect(
            try world.turn {
                honest.act(20_000)
                return honest.isEstablished
            })
        honest.socket.close()
        for socket in silent { socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("callers of an outbound listener whose server does not answer leave a fifth for inbound clients")
    func outboundShare() throws {
        let world = try SimulatedWorld(
            seed: 8, faults: .none, limits: "{connections: 20}", servers: ["127.0.0.1:19001"])
        _ = world.network.backend(at: SocketAddress(v4: 0x7F00_0001, port: 19001))
        let callers = (0..<30).map { world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from($0)) }
        #expect(try world.turn { callers.count(where: \.wasReset) == 14 })
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.connectionLimit.rawValue })
        let honest = try client(world, from: address(1))
        #expect(
            try world.turn {
                honest.act(20_000)
                return honest.isEstablished
            })
        honest.socket.close()
        for caller in callers { caller.close() }
        #expect(try world.turn(20_000) { world.isQuiet })
    }

    @Test("an admitted connection is never replaced by a stranger")
    func admittedStay() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connections: 3}")
        let admitted = try (0..<3).map { try client(world, from: address(1, $0)) }
        #expect(
            try world.turn {
                for client in admitted { client.act(20_000) }
                return admitted.allSatisfy(\.isEstablished)
            })
        #expect(try world.turn { world.worker.strangers[Source(address(1))] == 0 })
        let stranger = world.network.connectPeer(to: SimulatedWorld.inbound, from: address(2))
        #expect(try world.turn { stranger.wasReset })
        #expect(admitted.allSatisfy { !$0.isOver })
        for client in admitted { client.socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("an address has as many connections as limits.connectionsPerSource says; another one's do not count")
    func perSource() throws {
        let world = try SimulatedWorld(seed: 8, faults: .none, limits: "{connectionsPerSource: 2}")
        let first = (0..<3).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1, $0)) }
        let second = (0..<2).map { world.network.connectPeer(to: SimulatedWorld.inbound, from: address(2, $0)) }
        #expect(try world.turn { world.worker.activeConnections == 4 })
        #expect(world.records.map(\.closeReason) == [CloseReason.sourceLimit.rawValue])
        for socket in first + second { socket.close() }
        #expect(try world.turn { world.isQuiet })
        let again = world.network.connectPeer(to: SimulatedWorld.inbound, from: address(1))
        #expect(try world.turn { world.worker.activeConnections == 1 })
        again.close()
        #expect(try world.turn { world.isQuiet })
    }

    @Test("behind a load balancer, each client that it names has its own share, and the balancer needs none")
    func balanced() throws {
        let world = try SimulatedWorld(
            seed: 8, faults: .none, limits: "{connectionsPerSource: 2}", balancers: ["10.0.0.1"])
        let through = (0..<6).map { index in
            let socket = world.network.connectPeer(to: SimulatedWorld.echo, from: address(1, index))
            // Its first half; the other one comes later.
            _ = socket.write(Array("PROXY TCP4 10.0.0.".utf8))
            return socket
        }
        #expect(try world.turn { world.worker.activeConnections == 6 })
        #expect(try world.turn { world.worker.heldFlightBytes == 6 * 18 })
        for (index, socket) in through.enumerated() {
            _ = socket.write(Array("\(index < 3 ? 8 : 9) 10.0.0.1 \(1_000 + index) 443\r\n".utf8))
        }
        #expect(try world.turn { world.records.count == 2 })
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.sourceLimit.rawValue })
        #expect(Set(world.records.map(\.source)) == ["10.0.0.8:1002", "10.0.0.9:1005"])
        #expect(world.worker.strangers[Source(address(1))] == 0 && world.worker.clients[Source(address(8))] == 2)
        #expect(world.worker.heldFlightBytes == 0)
        for socket in through { socket.close() }
        #expect(try world.turn { world.isQuiet })
        #expect(world.worker.clients[Source(address(8))] == 0)
    }

    @Test("sources are IPv4 addresses, also in IPv6, and the /64 of IPv6 ones")
    func sources() {
        let v6 = { (high: UInt64, low: UInt64) in Source(SocketAddress(v6: high, low, port: 1)) }
        #expect(v6(0x2001_0DB8_0000_0001, 1) == v6(0x2001_0DB8_0000_0001, 2))
        #expect(v6(0x2001_0DB8_0000_0001, 1) != v6(0x2001_0DB8_0000_0002, 1))
        #expect(v6(0, 0xFFFF_0A00_0001) == Source(address(1)))
        #expect(Source(address(1, 1)) == Source(address(1, 2)) && Source(address(1)) != Source(address(2)))
    }

    private func token(_ slot: Int) -> OperationToken {
        OperationToken(operation: 1, generation: 0, slot: UInt32(slot))
    }

    private func client(_ world: SimulatedWorld, from source: SocketAddress) throws -> TLSClient {
        try TLSClient(
            world.network.connectPeer(to: SimulatedWorld.echo, from: source), as: TestIdentities.shared.allowed,
            sending: Stream(number: 1, length: 100), answer: 1, closing: false)
    }
}
