import EventLoop
import TLS
import Telemetry
import Testing

@testable import DataPlane

@Suite("A worker whose buffers are used up")
struct ScarceBufferTests {
    @Test(
        "whenever they run out, and however many are left, each connection goes on or ends", arguments: 0..<4)
    func everyMoment(left: Int) throws {
        for moment in 0..<40 {
            let scene = try Scene(seed: UInt64(moment))
            for _ in 0..<moment { try scene.turn() }
            for squeezed in 0..<8 {
                let held = scene.world.lendAll(but: left)
                try scene.turn()
                if squeezed % 3 == 0 { scene.world.worker.install(try scene.world.update()) }
                try scene.turn()
                for buffer in held { scene.world.worker.pool.giveBack(buffer) }
            }
            try scene.end()
            #expect(scene.world.isQuiet, "moment \(moment)")
            #expect(scene.clients.allSatisfy { $0.plaintext.isTrue }, "moment \(moment)")
        }
    }
}

extension ScarceBufferTests {
    @Test(
        "whenever there is no descriptor, and sends fail, each connection goes on or ends", arguments: 0..<40)
    func everyDescriptor(moment: Int) throws {
        for kind in 0..<3 {
            let scene = try Scene(seed: UInt64(moment))
            for _ in 0..<moment { try scene.turn() }
            switch kind {
            case 0: scene.world.network.faults.socketWithoutDescriptors = 1
            case 1: scene.world.network.faults.failedAccepts = 1
            default: scene.world.network.faults.resets = 1
            }
            for _ in 0..<4 {
                try scene.turn()
                scene.world.worker.install(try scene.world.update())
            }
            scene.world.network.faults = .none
            try scene.end()
            #expect(scene.world.isQuiet, "moment \(moment), kind \(kind): \(scene.left)")
            #expect(scene.clients.allSatisfy { $0.plaintext.isTrue }, "moment \(moment), kind \(kind)")
            #expect(scene.world.worker.handshakes.inProgress == 0 && scene.world.worker.heldFlightBytes == 0)
        }
    }
}

extension ScarceBufferTests {
    /// What fails once, at whatever phase of whichever side.
    enum Failure: CaseIterable {
        case buffer, operation
    }

    @Test(
        "each single taking of a buffer, and each single receive, send, accept and socket, may fail",
        arguments: Failure.allCases, 0..<4)
    func eachSingleOne(failure: Failure, quarter: Int) throws {
        var number = quarter
        while try fail(failure, number) { number += 4 }
        #expect(number > 24, "there is hardly anything to fail")
    }

    /// Runs a scene in which one thing fails, with a change of the settings every other turn; false where the scene has
    /// fewer of them.
    private func fail(_ failure: Failure, _ number: Int) throws -> Bool {
        let scene = try Scene(seed: 1, clients: 2, bytes: 6_000)
        switch failure {
        case .buffer: scene.world.worker.pool.failingTake = number
        case .operation: scene.world.network.failingOperation = number
        }
        for turn in 0..<60 {
            try scene.turn()
            if turn % 2 == 0 { scene.world.worker.install(try scene.world.update()) }
        }
        try scene.end()
        let context = "\(failure) \(number): \(scene.left)"
        #expect(scene.world.isQuiet, "\(context)")
        #expect(scene.clients.allSatisfy { $0.plaintext.isTrue }, "\(context)")
        #expect(scene.world.worker.handshakes.inProgress == 0 && scene.world.worker.heldFlightBytes == 0, "\(context)")
        #expect(scene.world.worker.lentBuffers == 0, "\(context)")
        switch failure {
        case .buffer: return number < scene.world.worker.pool.takeCount
        case .operation: return number < scene.world.network.operationCount
        }
    }
}

extension SimulatedWorld {
    /// Lends all but that many of the worker's buffers, as full ones; the caller gives them back.
    fileprivate func lendAll(but left: Int) -> [Int32] {
        var held: [Int32] = []
        while let buffer = worker.pool.take() {
            worker.pool.filled(buffer, BufferPool.bufferBytes)
            held.append(buffer)
        }
        for _ in 0..<min(left, held.count) { worker.pool.giveBack(held.removeLast()) }
        return held
    }
}

/// Clients of each kind of listener, and the application behind.
private final class Scene {
    let world: SimulatedWorld
    let clients: [TLSClient]
    private let caller: PeerSocket
    private var applications: [SimulatedApplication] = []

    init(seed: UInt64, clients count: Int = 4, bytes: Int = 20_000) throws {
        let world = try SimulatedWorld(seed: seed, faults: .none)
        self.world = world
        _ = world.network.backend(at: SimulatedWorld.application)
        clients = try (0..<count).map { index in
            let echoes = index % 2 == 0
            let number = UInt64(index)
            return try TLSClient(
                world.network.connectPeer(
                    to: echoes ? SimulatedWorld.echo : SimulatedWorld.inbound, from: world.from(index)),
                as: TestIdentities.shared.allowed, sending: Stream(number: number, length: bytes),
                answer: echoes ? number : number + 100)
        }
        caller = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(9))
        _ = caller.write([9])
    }

    func turn() throws {
        for client in clients { client.act(3_000) }
        while let socket = world.network.backend(at: SimulatedWorld.application).takeConnection() {
            applications.append(SimulatedApplication(socket))
        }
        for application in applications { application.act(3_000) { _ in 5_000 } }
        _ = caller.read()
        try world.step()
    }

    var left: String {
        var left = "\(world.worker.activeConnections) connections, \(world.worker.lentBuffers) buffers"
        left +=
            "; clients "
            + clients.map { "\($0.isEstablished) \($0.isOver)" }.joined(
                separator: ", ")
        left +=
            "; applications "
            + applications.map { "\($0.socket.isFinished) \($0.socket.wasReset)" }.joined(separator: ", ")
        left += "; reasons " + world.records.map(\.closeReason).joined(separator: ", ")
        for slot in 0..<Int32(8) where world.worker.connections.isLive(slot) {
            let machine = world.worker.connections[slot].machine
            let phases: [ConnectionMachine.Phase] = [
                .waiting, .handshaking, .dialling, .relaying, .flushing, .lingering, .closing,
            ]
            left +=
                "; slot \(slot): inbound \(machine.mode == .inbound), phase \(phases.firstIndex(of: machine.phase)!)"
            for leg in [machine.peer, machine.applicationLeg] {
                left +=
                    " | receiving \(leg.isReceiving) sending \(leg.isSending) queued \(leg.queued) readEnded \(leg.readEnded)"
                left += " writeEnded \(leg.writeEnded) failed \(leg.writeFailed)"
            }
        }
        return left
    }

    /// Lets every client finish or leave.
    func end() throws {
        caller.close()
        for _ in 0..<4_000 where !world.isQuiet {
            try turn()
            for client in clients where client.isOver { client.socket.close() }
            for application in applications where application.socket.isFinished { application.socket.close() }
        }
    }
}
