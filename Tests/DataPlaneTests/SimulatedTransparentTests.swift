import EventLoop
import PosternTesting
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

@Suite("A worker behind a firewall that redirects, in a simulated network")
struct SimulatedTransparentTests {
    private static let elsewhere = SocketAddress(v4: 0xC000_0207, port: 80)

    @Test("passes bytes through as they are, and loses none, whatever the network does", arguments: 0..<8)
    func passthrough(block: UInt64) throws {
        for seed in (block * 100)..<(block * 100 + 100) {
            let world = try SimulatedWorld(seed: seed, faults: seed % 4 == 0 ? .none : .all, isTransparent: true)
            let length = Int.random(in: 1..<Stream.longest, using: &world.generator)
            let backend = world.network.backend(at: Self.elsewhere)
            let caller = world.network.connectPeer(
                to: SimulatedWorld.transparent, from: world.from(0), redirectedFrom: Self.elsewhere)
            var stream = Stream(number: 5, length: length)
            var check = StreamCheck(number: 105)
            var server: SimulatedApplication?
            var finished = false
            let isOver = try world.turn(6_000) {
                check.take(caller.read(20_000))
                stream.wrote(caller.write(stream.next(20_000)))
                if stream.isDone, !finished {
                    finished = true
                    caller.shutdownWrite()
                }
                if let socket = backend.takeConnection() { server = SimulatedApplication(socket) }
                server?.act(20_000) { _ in length }
                return caller.wasReset || caller.isFinished && finished
            }
            #expect(check.isTrue && server?.check.isTrue ?? true, "seed \(seed): a byte that nobody sent")
            if !caller.wasReset, caller.isFinished {
                #expect(check.received == length && server?.check.received == length, "seed \(seed): a short stream")
            }
            if seed % 4 == 0 { #expect(isOver && !caller.wasReset, "seed \(seed)") }
            caller.close()
            server?.socket.close()
            try end(world, seed)
            let record = try #require(world.records.last, "seed \(seed)")
            #expect(record.protected == false && record.decision == .passedThrough && record.peerID == nil)
            #expect(record.destination == "192.0.2.7:80" && record.route == nil)
        }
    }

    @Test("refuses what no rule redirected, its own addresses, and those of its host with its own ports")
    func loops() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, isTransparent: true)
        let own = SocketAddress(v4: 0x0A00_0001, port: 15444)
        world.network.ownHosts = [own]
        for (index, wanted) in [
            SimulatedWorld.transparent, SimulatedWorld.echo, SocketAddress(v4: 0, port: 80),
            SocketAddress(v4: 0x7F00_0001, port: 0),
        ].enumerated() {
            let caller = world.network.connectPeer(
                to: SimulatedWorld.transparent, from: world.from(index), redirectedFrom: wanted)
            #expect(try world.turn { world.records.count == index + 1 })
            #expect(world.records[index].closeReason == "loop" && caller.wasReset)
        }
        // Inbound, the port counts that would be dialled on loopback; that of another host's own is nobody's.
        for (wanted, reason) in [(own, "loop"), (SocketAddress(v4: 0x0A00_0002, port: 15001), "loop")] {
            let caller = world.network.connectPeer(
                to: SimulatedWorld.transparentInbound, from: world.from(9), redirectedFrom: wanted)
            #expect(try world.turn { caller.wasReset })
            #expect(world.records.last?.closeReason == reason)
        }
        #expect(world.worker.loops == 6 && world.network.dials(to: SimulatedWorld.echo) == 0)
        #expect(world.isQuiet)
    }

    @Test("does not take an address of another host for its own because of the port")
    func sameportElsewhere() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, isTransparent: true)
        let other = SocketAddress(v4: 0xC000_0207, port: 15002)
        let backend = world.network.backend(at: other)
        let caller = world.network.connectPeer(
            to: SimulatedWorld.transparent, from: world.from(0), redirectedFrom: other)
        #expect(try world.turn { backend.takeConnection() != nil })
        caller.close()
    }

    @Test("does not let another host dial a loopback address of this one")
    func remoteCaller() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, isTransparent: true)
        let remote = SocketAddress(v4: 0xC000_0209, port: 40_000)
        let caller = world.network.connectPeer(
            to: SimulatedWorld.transparent, from: remote, redirectedFrom: SocketAddress(v4: 0x7F00_0001, port: 22))
        #expect(try world.turn { caller.wasReset })
        #expect(world.records.map(\.closeReason) == ["remote-caller"])
    }

    @Test("dials the port that a peer wanted on loopback, once its policy allows it")
    func original() throws {
        let world = try SimulatedWorld(seed: 1, faults: .none, isTransparent: true)
        let backend = world.network.backend(at: SimulatedWorld.application)
        let wanted = SocketAddress(v4: 0x0A00_0001, port: 19000)
        for (index, material) in [TestIdentities.shared.intruder, TestIdentities.shared.allowed].enumerated() {
            let client = try TLSClient(
                world.network.connectPeer(
                    to: SimulatedWorld.transparentInbound, from: world.from(index), redirectedFrom: wanted),
                as: material, sending: Stream(number: 3, length: 5_000), answer: 103)
            var application: SimulatedApplication?
            #expect(
                try world.turn {
                    client.act(20_000)
                    if let socket = backend.takeConnection() { application = SimulatedApplication(socket) }
                    application?.act(20_000) { _ in 500 }
                    return client.isOver
                })
            #expect((application == nil) == (index == 0))
            #expect(client.plaintext.received == (index == 0 ? 0 : 500))
            client.socket.close()
            application?.socket.close()
            #expect(try world.turn { world.records.count == index + 1 })
        }
        #expect(world.records.map(\.destination) == ["10.0.0.1:19000", "10.0.0.1:19000"])
        #expect(world.records.map(\.upstream) == [nil, "127.0.0.1:19000"])
    }

    @Test("closes what passes through once that is no longer allowed, or a route matches it; nothing else is touched")
    func changes() throws {
        for (old, new, reason) in [
            ("unmatched: passthrough", "unmatched: refuse", "route-removed"),
            ("10.0.0.0/8", "192.0.2.0/24", "policy-changed"), ("10.0.0.0/8", "10.0.0.0/9", nil),
        ] as [(String, String, String?)] {
            let world = try SimulatedWorld(seed: 1, faults: .none, isTransparent: true)
            let backend = world.network.backend(at: Self.elsewhere)
            let caller = world.network.connectPeer(
                to: SimulatedWorld.transparent, from: world.from(0), redirectedFrom: Self.elsewhere)
            var server: PeerSocket?
            #expect(
                try world.turn {
                    server = server ?? backend.takeConnection(); return server != nil
                })
            world.worker.install(try world.update(replacing: old, with: new))
            if let reason {
                #expect(try world.turn { caller.wasReset && server?.wasReset == true })
                #expect(world.records.map(\.closeReason) == [reason])
            } else {
                for _ in 0..<50 { try world.step() }
                #expect(!caller.wasReset && world.records.isEmpty)
            }
            caller.close()
            server?.close()
        }
    }

    /// Nothing may be left.
    private func end(_ world: SimulatedWorld, _ seed: UInt64) throws {
        let backend = world.network.backend(at: Self.elsewhere)
        backend.behaviour = .refuses
        world.network.faults = .none
        let isQuiet = try world.turn(3_000) {
            while let socket = backend.takeConnection() { socket.reset() }
            return world.isQuiet
        }
        if !isQuiet {
            world.network.advance(nanoseconds: 4_000_000_000_000)
            #expect(try world.turn(3_000) { world.isQuiet }, "seed \(seed): a connection is left")
        }
        #expect(world.network.openDescriptors == 5 && world.worker.staleCompletionCount == 0, "seed \(seed)")
    }
}
