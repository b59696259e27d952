import EventLoop
import PosternTesting
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

@Suite("A worker in a simulated network")
struct SimulatedRelayTests {
    /// 16 blocks of 100 seeds, each with up to eight connections and every fault.
    @Test("loses no byte, leaks nothing and gets stuck nowhere, whatever the network does", arguments: 0..<16)
    func faults(_ block: UInt64) throws {
        for seed in (block * 100)..<(block * 100 + 100) {
            let story = try Story(seed: seed, faults: .all)
            try story.run()
            if let flaw = story.flaw {
                Issue.record("seed \(seed): \(flaw)")
                return
            }
        }
    }

    @Test("delivers every byte of every connection where nothing goes wrong", arguments: 0..<4)
    func peaceful(_ block: UInt64) throws {
        for seed in (block * 50)..<(block * 50 + 50) {
            let story = try Story(seed: seed, faults: .none)
            story.expectsAll = true
            try story.run()
            if let flaw = story.flaw {
                Issue.record("seed \(seed): \(flaw)")
                return
            }
        }
    }
}

/// A handful of connections of all kinds, at once, and what must hold of them.
private final class Story {
    /// A plaintext client that enters by the outbound listener, is relayed to the inbound one and to the application.
    private struct Caller {
        let socket: PeerSocket
        var stream: Stream
        var check: StreamCheck
        var finished = false
        var isDone = false
    }

    let world: SimulatedWorld
    var expectsAll = false
    private(set) var flaw: String?
    private var callers: [Caller] = []
    private var intruders: [TLSClient] = []
    private var garbage: [PeerSocket] = []
    private var applications: [SimulatedApplication] = []
    private let lengths: [Int]
    private let spares: Int

    init(seed: UInt64, faults: SimulatedFaults) throws {
        // Every third world keeps connections ready.
        spares = seed % 3 == 0 ? 2 : 0
        let world = try SimulatedWorld(seed: seed, faults: faults, spares: spares)
        self.world = world
        lengths = (0..<32).map { _ in
            switch Int.random(in: 0..<10, using: &world.generator) {
            case 0, 1: 0
            case 2...6: Int.random(in: 1..<2_000, using: &world.generator)
            case 7, 8: Int.random(in: 2_000..<20_000, using: &world.generator)
            default: Int.random(in: 20_000..<Stream.longest, using: &world.generator)
            }
        }
        _ = world.network.backend(at: SimulatedWorld.application)
        for index in 0..<Int.random(in: 1...4, using: &world.generator) { addCaller(index) }
        if world.generator.chance(60) { try addIntruder(TestIdentities.shared.intruder, 10) }
        if world.generator.chance(40) { try addIntruder(TestIdentities.shared.forged, 11) }
        if world.generator.chance(40) { addGarbage(12) }
    }

    func run() throws {
        var turns = 0
        while turns < 6000, flaw == nil, !isOver {
            turns += 1
            act()
            try world.step()
        }
        if flaw == nil { checkStreams() }
        try finish()
    }

    private var isOver: Bool {
        callers.allSatisfy(\.isDone) && intruders.allSatisfy(\.isOver)
            && garbage.allSatisfy { $0.isFinished || $0.wasReset }
    }

    private func act() {
        while let socket = world.network.backend(at: SimulatedWorld.application).takeConnection() {
            applications.append(SimulatedApplication(socket))
        }
        for index in callers.indices where world.generator.chance(60) { actCaller(index) }
        for intruder in intruders where world.generator.chance(60) { intruder.act(limit()) }
        for application in applications where world.generator.chance(60) {
            application.act(limit()) { self.lengths[Int($0 & 31) ^ 1] }
            if !application.check.isTrue { flaw = "the application got a byte that nobody sent" }
        }
    }

    private func actCaller(_ index: Int) {
        callers[index].check.take(callers[index].socket.read(limit()))
        if !callers[index].check.isTrue { flaw = "caller \(index) got a byte that nobody sent" }
        let next = callers[index].stream.next(limit())
        if !next.isEmpty { callers[index].stream.wrote(callers[index].socket.write(next)) }
        if callers[index].stream.isDone, !callers[index].finished {
            callers[index].finished = true
            callers[index].socket.shutdownWrite()
        }
        let socket = callers[index].socket
        if socket.wasReset || (socket.isFinished && callers[index].finished) { callers[index].isDone = true }
    }

    private func checkStreams() {
        if expectsAll, !callers.allSatisfy(\.isDone) { flaw = "a connection is stuck" }
        for (index, caller) in callers.enumerated() where !caller.socket.wasReset && caller.socket.isFinished {
            // An orderly close means that the whole response has arrived.
            guard caller.stream.length > 0, caller.check.received > 0 || expectsAll else { continue }
            let expected = lengths[index ^ 1]
            if caller.check.received != expected {
                flaw = "caller \(index) got \(caller.check.received) of \(expected) bytes and an orderly end"
            }
        }
        for application in applications where application.socket.isFinished && !application.socket.wasReset {
            guard let number = application.check.number else { continue }
            if application.check.received != lengths[Int(number)] {
                flaw = "the application got \(application.check.received) of \(lengths[Int(number)]) bytes"
            }
        }
        for intruder in intruders where intruder.plaintext.received > 0 { flaw = "an intruder was answered" }
        let strangers = applications.compactMap(\.check.number).filter { $0 >= UInt64(callers.count) }
        if !strangers.isEmpty { flaw = "a refused peer's byte was forwarded" }
        let refusedDials = world.records.filter { $0.decision == .denied && $0.upstream != nil }
        if !refusedDials.isEmpty, refusedDials.contains(where: { $0.listener == "in" && $0.bytesToUpstream > 0 }) {
            flaw = "a refused peer has an upstream"
        }
    }

    /// The outside world leaves; then nothing of it may be left.
    private func finish() throws {
        for caller in callers { caller.socket.close() }
        for intruder in intruders { intruder.socket.close() }
        for socket in garbage { socket.close() }
        for application in applications { application.socket.close() }
        world.network.backend(at: SimulatedWorld.application).behaviour = .refuses
        world.network.faults = .none
        if spares > 0 { world.worker.install(try world.update(replacing: ", preconnect: 2", with: "")) }
        let isQuiet = try world.turn(3000) {
            while let socket = self.world.network.backend(at: SimulatedWorld.application).takeConnection() {
                socket.reset()
            }
            return self.world.isQuiet
        }
        if !isQuiet, flaw == nil {
            world.network.advance(nanoseconds: 4_000_000_000_000)
            let isQuietLater = try world.turn(3000) { self.world.isQuiet }
            if !isQuietLater { flaw = "\(world.worker.activeConnections) connections are left" }
        }
        guard flaw == nil else { return }
        if world.network.openDescriptors != 3 { flaw = "\(world.network.openDescriptors - 3) descriptors are left" }
        if world.network.operationsInFlight > 3 { flaw = "operations are left" }
        if world.worker.staleCompletionCount != 0 { flaw = "a completion came too late" }
        if world.worker.handshakes.inProgress != 0 {
            flaw = "\(world.worker.handshakes.inProgress) handshakes are counted for ever"
        }
        if world.records.count != Int(world.worker.acceptedConnections) {
            flaw = "a connection ended without a record"
        }
    }

    private func addCaller(_ index: Int) {
        let socket = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(index))
        callers.append(
            Caller(
                socket: socket, stream: Stream(number: UInt64(index), length: lengths[index]),
                check: StreamCheck(number: UInt64(index) + 100)))
    }

    private func addIntruder(_ material: IdentityMaterial, _ index: Int) throws {
        let socket = world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(index))
        intruders.append(
            try TLSClient(
                socket, as: material, sending: Stream(number: UInt64(index), length: 5000), answer: UInt64(index) + 100)
        )
    }

    private func addGarbage(_ index: Int) {
        let socket = world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(index))
        let bytes = (0..<2000).map { _ in UInt8.random(in: .min ... .max, using: &world.generator) }
        _ = socket.write(bytes)
        socket.shutdownWrite()
        garbage.append(socket)
    }

    private func limit() -> Int {
        world.generator.chance(20) ? Int.random(in: 1...50, using: &world.generator) : 20_000
    }
}
