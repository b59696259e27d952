import PosternTesting
import System
import Testing

@testable import EventLoop

@Suite("The simulated network")
struct SimulatedNetworkTests {
    private static let here = SocketAddress(v4: 0x7F00_0001, port: 443)
    private static let client = SocketAddress(v4: 0x0A00_0001, port: 5000)

    /// A client that writes `bytes` as there is room, finishes, and keeps what comes back.
    private struct Client {
        let socket: PeerSocket
        let bytes: [UInt8]
        var written = 0
        var echoed: [UInt8] = []

        mutating func proceed(reading limit: Int) {
            written += socket.write(bytes[written...])
            if written == bytes.count { socket.shutdownWrite() }
            echoed += socket.read(limit)
        }

        var isDone: Bool { socket.isFinished || (socket.wasReset && socket.unread == 0) }
    }

    private static func run(seed: UInt64, faults: SimulatedFaults) throws -> [[UInt8]] {
        var limits = LoopLimits()
        limits.receiveBuffers = 4
        limits.receiveBufferBytes = 2048
        let network = SimulatedNetwork(seed: seed, faults: faults, limits: limits)
        var random = SimulatedRandom(seed: seed &+ 1)
        var echo = Echo(.simulated(network), listener: network.listen(on: here))
        var clients = (0..<8).map { index in
            Client(
                socket: network.connectPeer(to: here, from: client),
                bytes: (0..<random.below(20_000)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) })
        }
        var ticks = 0
        while !clients.allSatisfy(\.isDone) {
            for index in clients.indices where random.chance(0.5) {
                clients[index].proceed(reading: 1 + random.below(4096))
            }
            try echo.tick()
            ticks += 1
            try #require(ticks < 100_000, "a connection is stuck, seed \(seed)")
        }
        for client in clients {
            #expect(client.bytes.starts(with: client.echoed), "seed \(seed)")
            if !client.socket.wasReset { #expect(client.echoed.count == client.bytes.count, "seed \(seed)") }
        }
        try echo.stop()
        #expect(network.openDescriptors == 0, "seed \(seed)")
        #expect(network.operationsInFlight == 0, "seed \(seed)")
        #expect(network.lentBuffers == 0, "seed \(seed)")
        return clients.map(\.echoed)
    }

    @Test("an echo loses, doubles and leaks nothing, whatever goes wrong", arguments: [false, true])
    func echo(withFaults: Bool) throws {
        for seed in 0..<100 { _ = try Self.run(seed: UInt64(seed), faults: withFaults ? .all : .none) }
    }

    @Test("one seed is one run")
    func deterministic() throws {
        for seed in 0..<10 as Range<UInt64> {
            #expect(try Self.run(seed: seed, faults: .all) == Self.run(seed: seed, faults: .all))
        }
    }
}
