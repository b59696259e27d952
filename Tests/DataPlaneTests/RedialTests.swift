import Balancing
import EventLoop
import PosternTesting
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane

/// An outbound route whose first endpoint accepts connections and then fails their handshakes.
@Suite("A handshake that fails on one endpoint")
struct RedialTests {
    enum Failure: CaseIterable {
        case closes, resets, hangs, garbage, stalls
    }

    @Test("is done again with another one, and nothing of the first is left", arguments: Failure.allCases)
    func retried(failure: Failure) throws {
        let scene = try RedialScene(seed: 1, faults: .none)
        #expect(try scene.runs(failure))
        #expect(scene.received == 900 && scene.answered == 500)
        let line = try #require(scene.world.records.first { $0.listener == "out" })
        #expect(line.closeReason == CloseReason.finished.rawValue && line.closeDetail == nil && line.closeCode == nil)
        #expect(line.attempts.map(\.outcome) == ["handshake-failed", "connected"])
        #expect(line.attempts[0].upstream == "127.0.0.1:19001" && line.attempts[0].code != nil)
        #expect(scene.world.network.dials(to: RedialScene.flawed) == 1)
        #expect(try scene.left() == [:])
    }

    @Test("a cut or a change at any moment, also between the two, leaves nothing", arguments: Failure.allCases, 0..<3)
    func everyMoment(failure: Failure, kind: Int) throws {
        for moment in 0..<60 {
            let scene = try RedialScene(seed: UInt64(moment), faults: .none)
            _ = try scene.runs(failure, turns: moment)
            switch kind {
            case 0: scene.world.worker.cutAll()
            case 1: scene.world.worker.install(try scene.world.update())
            default: scene.world.worker.install(try scene.world.update(material: TestIdentities.shared.elsewhere))
            }
            _ = try scene.runs(failure, turns: 200)
            #expect(try scene.left(listeners: kind == 0 ? 0 : 3) == [:], "moment \(moment)")
        }
    }

    @Test("whatever the network does, no byte is lost or doubled and nothing is left", arguments: 0..<8)
    func seeds(block: UInt64) throws {
        var retried = 0
        for seed in (block * 40)..<(block * 40 + 40) {
            let scene = try RedialScene(seed: seed, faults: .all, handshakeTimeout: "1s")
            _ = try scene.runs(Failure.allCases[Int(seed % 5)], turns: 800)
            #expect(scene.isTrue, "seed \(seed)")
            retried += scene.world.records.count { record in
                record.listener == "out" && record.attempts.contains { $0.outcome == "handshake-failed" }
                    && record.bytesFromUpstream > 0
            }
            #expect(try scene.left() == [:], "seed \(seed)")
        }
        #expect(retried > 0, "nothing was retried")
    }

    @Test("an old handshake step that comes late is not taken for one of the new handshake")
    func flightHeld() {
        var machine = ConnectionMachine(.outbound)
        machine.dialled()
        _ = machine.connectEnded(succeeded: true)
        #expect(machine.awaitsUpstreamHandshake)
        machine.heldFlight()
        #expect(!machine.awaitsUpstreamHandshake, "a step may be with the handshake thread")
    }
}

/// A caller, an outbound and an inbound listener, and the application behind.
private final class RedialScene {
    static let flawed = SocketAddress(v4: 0x7F00_0001, port: 19001)

    let world: SimulatedWorld
    private let caller: PeerSocket
    private var stream = Stream(number: 1, length: 900)
    private var check = StreamCheck(number: 101)
    private var isFinished = false
    private var applications: [SimulatedApplication] = []
    private var failing: [PeerSocket] = []

    init(seed: UInt64, faults: SimulatedFaults, handshakeTimeout: String = "5s") throws {
        world = try SimulatedWorld(
            seed: seed, faults: faults, limits: "{handshakeTimeout: \(handshakeTimeout)}",
            servers: ["127.0.0.1:19001", "127.0.0.1:15443"], upstream: ", balance: first, health: {failures: 0}")
        _ = world.network.backend(at: SimulatedWorld.application)
        _ = world.network.backend(at: Self.flawed)
        caller = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(1))
    }

    var received: Int { applications.reduce(0) { $0 + $1.check.received } }
    var answered: Int { check.received }
    var isTrue: Bool { check.isTrue && applications.allSatisfy { $0.check.isTrue } }

    /// Runs until the caller has its answer and its end; false if it does not come to that.
    func runs(_ failure: RedialTests.Failure, turns: Int = 4_000) throws -> Bool {
        for _ in 0..<turns {
            act(failure)
            if caller.wasReset || caller.isFinished && isFinished { return !caller.wasReset }
            try world.step()
        }
        return false
    }

    /// Lets everything end; what is left then.
    func left(listeners: Int = 3) throws -> [String: Int] {
        caller.close()
        world.network.faults = .none
        for backend in [world.network.backend(at: Self.flawed), world.network.backend(at: SimulatedWorld.application)] {
            backend.behaviour = .refuses
        }
        for _ in 0..<2 {
            let isQuiet = try world.turn(3_000) {
                leave()
                return world.isQuiet && (listeners > 0 || world.worker.isFinished)
            }
            if isQuiet { break }
            world.network.advance(nanoseconds: 4_000_000_000_000)
        }
        var connections = 0
        for listener in world.worker.listeners {
            for route in listener.endpoints {
                for id in route.group.ids { connections += route.group.connections(of: id) }
            }
        }
        let left = [
            "connections": world.worker.activeConnections, "buffers": world.worker.lentBuffers,
            "places at endpoints": connections, "descriptors": world.network.openDescriptors - listeners,
            "late completions": world.worker.staleCompletionCount,
            "handshakes": world.worker.handshakes.inProgress, "flights": world.worker.heldFlightBytes,
            "records": Int(world.worker.acceptedConnections) - world.records.count,
        ]
        return left.filter { $0.value != 0 }
    }

    private func act(_ failure: RedialTests.Failure) {
        while let socket = world.network.backend(at: SimulatedWorld.application).takeConnection() {
            applications.append(SimulatedApplication(socket))
        }
        while let socket = world.network.backend(at: Self.flawed).takeConnection() { failing.append(socket) }
        for socket in failing where socket.unread > 0 || failure == .stalls {
            switch failure {
            case .closes:
                _ = socket.read()
                socket.close()
            case .resets: socket.reset()
            case .hangs: _ = socket.read()
            case .garbage:
                _ = socket.read()
                _ = socket.write(Array("220 not TLS\r\n".utf8))
            // It says nonsense, and reads neither what it is asked nor what it is told.
            case .stalls: _ = socket.write(Array("220 not TLS\r\n".utf8))
            }
        }
        for application in applications { application.act(20_000) { _ in 500 } }
        check.take(caller.read())
        let next = stream.next(300)
        if !next.isEmpty { stream.wrote(caller.write(next)) }
        if stream.isDone, !isFinished {
            isFinished = true
            caller.shutdownWrite()
        }
    }

    private func leave() {
        for application in applications { application.socket.close() }
        for socket in failing { socket.close() }
        for backend in [world.network.backend(at: Self.flawed), world.network.backend(at: SimulatedWorld.application)] {
            while let socket = backend.takeConnection() { socket.reset() }
        }
    }
}
