import EventLoop
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane

/// 8 MiB for one worker: 4 MiB of shared buffers, and shares for some 80 connections.
private let memoryBytes = 8 << 20

@Suite("Scarce memory")
struct MemoryTests {
    @Test(
        "a peer that stops reading takes nothing that others need, and no connection is ended",
        arguments: [false, true])
    func silentReaders(echoes: Bool) throws {
        // The kernel holds little, so that the worker has to. Seed 0 has receive buffers of 64 KiB.
        var narrow = SimulatedFaults.none
        narrow.streamBytes = 16 * 1024
        let world = try SimulatedWorld(seed: 0, faults: narrow, memoryBytes: memoryBytes)
        _ = world.network.backend(at: SimulatedWorld.application)
        let listener = echoes ? SimulatedWorld.echo : SimulatedWorld.inbound
        let silent = try (0..<95).map { index in
            let number = UInt64(index % 55)
            return try TLSClient(
                world.network.connectPeer(to: listener, from: from(index)), as: TestIdentities.shared.allowed,
                sending: Stream(number: number, length: echoes ? 88_000 : 16), answer: echoes ? number : number + 100)
        }
        var applications: [SimulatedApplication] = []
        var mostBuffered = 0
        func turn() throws {
            while let socket = world.network.backend(at: SimulatedWorld.application).takeConnection() {
                applications.append(SimulatedApplication(socket))
            }
            for application in applications { application.act(60_000) { $0 != 55 ? 88_000 : 30_000 } }
            try world.step()
            mostBuffered = max(mostBuffered, world.worker.pool.countedBytes)
        }
        // The echo's client sends as long as its bytes are accepted, and reads nothing.
        for _ in 0..<400 {
            for client in silent where !client.isEstablished { client.act(20_000, sending: 10) }
            if echoes { for client in silent where client.isEstablished { client.act(16_000, reads: false) } }
            try turn()
        }
        let wasScarce = world.worker.isScarce
        #expect(wasScarce, "\(mostBuffered) bytes at most: this tests nothing")
        #expect(world.records.isEmpty)
        let mostAllowed = world.worker.memory.bufferBytes
        defer { #expect(mostBuffered <= mostAllowed) }

        // Another client comes, and is served.
        let late = try TLSClient(
            world.network.connectPeer(to: listener, from: from(99)), as: TestIdentities.shared.allowed,
            sending: Stream(number: 55, length: 30_000), answer: echoes ? 55 : 155)
        for _ in 0..<2_000 where !late.isOver {
            late.act(20_000)
            try turn()
        }
        #expect(late.closed && late.plaintext.isTrue)

        // Clients that begin to read get every byte.
        for _ in 0..<20_000 where !silent.allSatisfy(\.isOver) {
            for client in silent { client.act(20_000) }
            try turn()
        }
        #expect(silent.allSatisfy { $0.closed && $0.plaintext.isTrue })
        for client in silent + [late] { client.socket.close() }
        #expect(
            try world.turn {
                for application in applications where application.socket.isFinished { application.socket.close() }
                return world.isQuiet
            })
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.finished.rawValue })
    }

    @Test(
        "the budget divides all of the memory and no more",
        arguments: [8, 16, 32, 64, 256, 1024, 1 << 20], [1, 100, 10_000, 1_000_000])
    func budget(mebibytes: Int, connections: Int) {
        let bytes = mebibytes << 20
        let loop = LoopLimits(memoryBytes: bytes)
        let budget = MemoryBudget(
            bytes: bytes, connections: connections, receives: loop.receiveBuffers,
            receiveBytes: loop.receiveBufferBytes)
        let underWay = loop.receiveBuffers * (loop.receiveBufferBytes + 17 * 1024)
        #expect(budget.slots * MemoryBudget.connectionBytes + budget.sharedBytes + underWay <= bytes + 17 * 1024)
        #expect(budget.connections == connections || budget.connections >= bytes / 2 / MemoryBudget.connectionBytes)
        #expect(budget.sharedBytes >= bytes / 8)
        // It is a whole buffer at first, and never nothing.
        #expect(budget.receiveBytes(buffered: 0) >= min(loop.receiveBufferBytes, bytes / 512))
        #expect(budget.receiveBytes(buffered: .max / 2) == 4096)
        #expect(!budget.isScarce(buffered: bytes / 16) && budget.isScarce(buffered: budget.sharedBytes))
    }

    /// Each from an address of its own.
    private func from(_ index: Int) -> SocketAddress { SocketAddress(v4: 0x0A00_0000 + UInt32(index), port: 20_000) }
}
