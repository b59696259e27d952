import EventLoop
import Settings
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

@Suite("A change under a worker")
struct InstallTests {
    /// The kind of change.
    enum Change: String, CaseIterable, Sendable, CustomTestStringConvertible {
        /// The rule that lets the client in is gone.
        case policy
        /// The client's authority is no longer trusted.
        case bundle

        var testDescription: String { rawValue }

        func update(_ world: SimulatedWorld) throws -> WorkerUpdate {
            switch self {
            case .policy: try world.update(callers: "spiffe://example.org/ns/default/sa/nobody")
            case .bundle: try world.update(material: TestIdentities.shared.elsewhere)
            }
        }

        var reasons: Set<String> {
            switch self {
            case .policy: [CloseReason.policyChanged.rawValue, CloseReason.policyDenied.rawValue]
            case .bundle:
                // Or the client refuses, because the server's SVID is also from the other authority.
                Set([CloseReason.bundleRemoved, .certificateRefused, .handshakeFailed].map(\.rawValue))
            }
        }
    }

    @Test(
        "whenever it comes between accept and relay, a client that it denies is not served afterwards",
        arguments: Change.allCases, [true, false])
    func noWindow(change: Change, closesItself: Bool) throws {
        // Each number of turns is a moment of the admission at which the change arrives.
        var admittedBefore = 0
        for moment in 0..<60 {
            let world = try SimulatedWorld(seed: UInt64(moment), faults: .none)
            let client = try TLSClient(
                world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(0)),
                as: TestIdentities.shared.allowed, sending: Stream(number: 3, length: 5_000), answer: 103,
                closing: closesItself)
            _ = world.network.backend(at: SimulatedWorld.application)
            for _ in 0..<moment {
                // With three bytes a turn the flight would not be complete within these moments, in one piece it would
                // be at once.
                client.act(400)
                try world.step()
            }
            let hadBegun = world.worker.activeConnections > 0
            let arrived = client.isEstablished
            world.worker.install(try change.update(world))
            let before = world.dialledApplication
            #expect(
                try world.turn {
                    client.act(400); return client.isOver && world.worker.activeConnections == 0
                })
            if before == 0 { #expect(world.dialledApplication == 0, "moment \(moment): it was dialled") }
            admittedBefore += before
            let reasons = Set(world.records.map(\.closeReason))
            if hadBegun || !arrived {
                #expect(reasons.isSubset(of: change.reasons), "moment \(moment): \(reasons)")
            }
            #expect(world.isQuiet)
        }
        #expect(admittedBefore > 0, "no moment came late enough to find it admitted")
    }

    @Test("it closes the connections that it denies and leaves the others alone, a bounded number per step")
    func slices() throws {
        let world = try SimulatedWorld(seed: 3, faults: .none)
        let allowed = try clients(90, of: world, as: TestIdentities.shared.allowed)
        let servers = try clients(30, of: world, as: TestIdentities.shared.server)
        let all = allowed + servers
        #expect(
            try world.turn {
                act(all); return all.allSatisfy { $0.plaintext.received == 700 }
            })
        #expect(try world.turn(50) { false } == false)
        world.worker.install(try world.update(callers: "spiffe://example.org/ns/default/sa/server"))
        let start = world.network.now
        var steps = 0
        while world.worker.isSweeping {
            try world.step()
            steps += 1
        }
        #expect(steps > 1, "all in one step")
        #expect(world.network.now - start < 100_000_000)
        #expect(
            try world.turn {
                act(all); return world.records.count == allowed.count
            })
        #expect(world.network.now - start < 1_000_000_000)
        #expect(world.records.allSatisfy { $0.closeReason == "policy-changed" && $0.rule == nil })
        #expect(allowed.allSatisfy { !$0.closed && $0.failure == .peerAlert(49) })
        #expect(servers.allSatisfy { !$0.isOver })
        #expect(world.worker.activeConnections == servers.count)
        for client in all { client.socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("without an SVID no client is served, and with the next SVID the waiting ones are")
    func withdrawal() throws {
        let world = try SimulatedWorld(seed: 3, faults: .none)
        let early = try clients(1, of: world, as: TestIdentities.shared.allowed)
        #expect(
            try world.turn {
                act(early); return early[0].isEstablished && early[0].isIdle
            })
        world.worker.install(try world.update(material: nil))
        #expect(
            try world.turn {
                act(early); return world.records.count == 1
            })
        #expect(world.records[0].closeReason == CloseReason.identityWithdrawn.rawValue)
        let late = try clients(1, of: world, as: TestIdentities.shared.allowed)
        #expect(
            try world.turn(50) {
                act(late); return late[0].isOver
            } == false)
        #expect(world.worker.activeConnections == 0)
        world.worker.install(try world.update())
        #expect(
            try world.turn {
                act(late); return late[0].isEstablished
            })
        for client in early + late { client.socket.close() }
        #expect(try world.turn { world.isQuiet })
    }

    @Test("a thousand changes while connections come and go lose nothing and close no connection")
    func churn() throws {
        let world = try SimulatedWorld(seed: 5, faults: .none)
        var done = 0
        for _ in 0..<8 {
            let some = try clients(6, of: world, as: TestIdentities.shared.allowed, closing: true)
            var turns = 0
            #expect(
                try world.turn {
                    turns += 1
                    if turns % 3 == 0 { world.worker.install(try world.update()) }
                    act(some)
                    return some.allSatisfy(\.isOver)
                })
            #expect(some.allSatisfy { $0.failure == nil && $0.plaintext.isTrue && $0.plaintext.received == 700 })
            done += some.count
        }
        #expect(try world.turn { world.isQuiet })
        #expect(world.records.count == done)
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.finished.rawValue })
    }

    // MARK: Clients

    private func clients(
        _ count: Int, of world: SimulatedWorld, as material: IdentityMaterial, closing: Bool = false
    ) throws -> [TLSClient] {
        try (0..<count).map { index in
            try TLSClient(
                world.network.connectPeer(to: SimulatedWorld.echo, from: world.from(index)), as: material,
                sending: Stream(number: 7, length: 700), answer: 7, closing: closing)
        }
    }

    private func act(_ clients: [TLSClient]) { for client in clients { client.act(20_000) } }
}
