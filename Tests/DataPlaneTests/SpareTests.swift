import EventLoop
import PosternTesting
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

/// Connections that have shaken hands and wait for an application, in a simulated network.
@Suite("A spare connection")
struct SpareTests {
    /// What a spare connection that was made before must not survive, or may.
    enum Change: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case nothingOfIt, svid, bundle, list, identities, endpoint, none

        var testDescription: String { rawValue }

        func update(_ world: SimulatedWorld) throws -> WorkerUpdate {
            let identities = TestIdentities.shared
            func replaced(_ old: String, _ new: String) throws -> WorkerUpdate {
                try world.update(replacing: old, with: new, keepsContexts: true)
            }
            switch self {
            case .nothingOfIt: return try replaced("limits: {}", "limits: {idleTimeout: 7m}")
            case .svid: return try world.update(material: identities.renewed, keepsContexts: true)
            case .bundle: return try world.update(material: identities.trustingMore, keepsContexts: true)
            case .list: return try world.update(material: identities.listing, keepsContexts: true)
            case .identities:
                return try replaced("\"], identities: [\"", "\"], identities: [\"spiffe://example.org/b\", \"")
            case .endpoint:
                return try replaced("[\"127.0.0.1:15443\"], identities", "[\"127.0.0.1:15444\"], identities")
            case .none: return try replaced(", preconnect: 1", "")
            }
        }
    }

    @Test(
        "is used after a change if that is nothing to it, else ended, and nobody is given it",
        arguments: Change.allCases)
    func changes(change: Change) throws {
        let world = try SimulatedWorld(seed: 3, faults: .none, spares: 1)
        let application = world.network.backend(at: SimulatedWorld.application)
        #expect(try world.turn { ready(world) == 1 && application.waiting == 1 })
        let dialled = world.network.dials(to: SimulatedWorld.inbound)
        world.worker.install(try change.update(world))
        // Already before the worker has had a turn.
        #expect(ready(world) == (change == .nothingOfIt ? 1 : 0))
        let caller = world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from(0))
        _ = caller.write([1, 2, 3])
        // The first one at the application is the one that waited.
        let first = SimulatedApplication(try #require(application.takeConnection()))
        if change == .nothingOfIt {
            #expect(try world.turn { first.socket.unread == 3 })
        } else {
            #expect(try world.turn { first.socket.isFinished || first.socket.wasReset })
            #expect(first.socket.unread == 0)
            let served = change == .endpoint ? SimulatedWorld.echo : SimulatedWorld.inbound
            let before = change == .endpoint ? 0 : dialled
            #expect(try world.turn { world.network.dials(to: served) > before })
            #expect(try world.turn { change == .endpoint ? caller.unread == 3 : application.waiting >= 1 })
            if change == .endpoint { #expect(world.network.dials(to: SimulatedWorld.inbound) == dialled) }
        }
        first.socket.close()
        caller.close()
        try end(world)
        let records = world.records.filter { $0.listener == "out" }
        #expect(records.map(\.preconnected) == [change == .nothingOfIt])
    }

    @Test("waits for room without a turn of the worker in vain")
    func withoutRoom() throws {
        let world = try SimulatedWorld(seed: 3, faults: .none, limits: "{connections: 4}", spares: 1)
        let places = world.worker.memory.connections
        world.worker.install(try world.update(replacing: ", preconnect: 1", with: ""))
        // Callers of the echo take the places that spares may have.
        let callers = (0..<places).map { world.network.connectPeer(to: SimulatedWorld.echo, from: world.from($0)) }
        #expect(try world.turn { world.worker.activeConnections >= places / 2 })
        world.worker.install(try world.update())
        #expect(try world.turn(100) { false } == false)
        let dials = world.network.dials(to: SimulatedWorld.inbound)
        let began = world.network.now
        var turns = 0
        while world.network.now - began < 2_000_000_000 {
            // A wait of the simulation takes ten milliseconds at most, half of that on average.
            try world.worker.step(limitNanoseconds: 10_000_000)
            turns += 1
            try #require(turns < 1_000, "the worker spins")
        }
        #expect(world.network.dials(to: SimulatedWorld.inbound) == dials)
        for caller in callers { caller.close() }
        #expect(try world.turn { ready(world) == 1 })
        try end(world)
    }

    private func ready(_ world: SimulatedWorld) -> Int { world.worker.listeners[1].spares[0].ready.count }

    /// Without spares nothing is left in the end.
    private func end(_ world: SimulatedWorld) throws {
        world.worker.install(try world.update(replacing: ", preconnect: 1", with: ""))
        let application = world.network.backend(at: SimulatedWorld.application)
        #expect(
            try world.turn {
                while let socket = application.takeConnection() { socket.reset() }
                return world.isQuiet
            })
    }
}
