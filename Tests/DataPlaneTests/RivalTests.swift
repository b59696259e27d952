import Balancing
import EventLoop
import Policy
import PosternTesting
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

/// An application whose name has an IPv6 address, which is preferred, and an IPv4 one.
@Suite("A race of two families")
struct RivalTests {
    @Test("the other family is dialled beside one that is slow, serves, and is dialled first from then on")
    func overtakes() throws {
        let world = try RaceWorld()
        world.sixth.behaviour = .hangs
        let start = world.network.now
        try world.serve { world.fourth.takeConnection() }
        #expect(world.dials == [1, 1])
        #expect(world.network.now - start < 400_000_000)
        #expect(world.lastAttempts == ["[::1]:19000 overtaken", "127.0.0.1:19000 connected"])
        #expect(try #require(world.records.last).attempts[0].nanoseconds >= 250_000_000)
        try world.serve { world.fourth.takeConnection() }
        #expect(world.dials == [1, 2] && world.lastAttempts.isEmpty)
        #expect(world.worker.dialCounts.overtaken == 1 && world.worker.dialCounts.connected == 2)
        #expect(world.worker.dialCounts.timedOut == 0 && world.isClean)
    }

    @Test("one that answers in time, or not at all, is not raced before 250 ms have passed", arguments: [true, false])
    func waits(answers: Bool) throws {
        let world = try RaceWorld()
        world.sixth.behaviour = answers ? .accepts : .hangs
        let client = try world.client()
        #expect(
            try world.turn {
                client.act(20_000); return world.dials[0] == 1
            })
        let start = world.network.now
        while world.network.now - start < 240_000_000 { try world.step() }
        #expect(world.dials == [1, 0])
        client.socket.close()
        #expect(try world.endsClean())
    }

    @Test("the first one may still win, and then the rival leaves no trace but in the log")
    func firstWins() throws {
        let world = try RaceWorld()
        world.sixth.behaviour = .hangs
        world.fourth.behaviour = .hangs
        try world.serve(after: { if world.dials[1] == 1 { world.sixth.behaviour = .accepts } }) {
            world.sixth.takeConnection()
        }
        #expect(world.lastAttempts == ["[::1]:19000 connected", "127.0.0.1:19000 overtaken"])
        #expect(world.fourth.waiting == 0 && world.dials == [1, 1] && world.isClean)
    }

    @Test("if the first one fails at once the other family follows at once, which is no retry", arguments: [0, 2])
    func failsAtOnce(retries: Int) throws {
        let world = try RaceWorld(upstream: ", retries: \(retries)")
        world.sixth.behaviour = .refuses
        let start = world.network.now
        try world.serve { world.fourth.takeConnection() }
        #expect(world.network.now - start < 200_000_000)
        #expect(world.lastAttempts == ["[::1]:19000 refused", "127.0.0.1:19000 connected"])
        #expect(world.dials == [1, 1] && world.isClean)
    }

    @Test("if both fail the connection ends for the reason of the last, and each was dialled once", arguments: [0, 2])
    func bothFail(retries: Int) throws {
        for (sixth, fourth, reason) in [
            (SimulatedBackend.Behaviour.hangs, SimulatedBackend.Behaviour.hangs, CloseReason.connectTimeout),
            (.hangs, .refuses, .upstreamUnreachable), (.refuses, .hangs, .connectTimeout),
            (.refuses, .refuses, .upstreamUnreachable),
        ] {
            let world = try RaceWorld(upstream: ", retries: \(retries)")
            world.sixth.behaviour = sixth
            world.fourth.behaviour = fourth
            let client = try world.client()
            #expect(
                try world.turn {
                    client.act(20_000); return world.records.count == 1
                })
            #expect(world.records[0].closeReason == reason.rawValue, "\(sixth) \(fourth)")
            let outcomes = [sixth, fourth].map { $0 == .hangs ? "timeout" : "refused" }
            #expect(world.records[0].attempts.map(\.outcome) == outcomes)
            #expect(world.dials == [1, 1])
            #expect(try world.endsClean())
        }
    }

    @Test("further addresses of the two families are tried as retries, beside the one that goes on")
    func goesOn() throws {
        for (retries, dials) in [(0, [1, 1, 0]), (1, [1, 1, 1])] {
            let world = try RaceWorld(
                upstream: ", retries: \(retries), balance: first", addresses: ["::1", "127.0.0.1", "127.0.0.2"])
            world.sixth.behaviour = .hangs
            world.fourth.behaviour = .refuses
            let other = world.network.backend(at: SocketAddress(v4: 0x7F00_0002, port: 19000))
            guard retries > 0 else {
                let client = try world.client()
                #expect(
                    try world.turn {
                        client.act(20_000); return world.records.count == 1
                    })
                #expect(world.dials + [world.network.dials(to: other.address)] == dials)
                continue
            }
            let start = world.network.now
            try world.serve { other.takeConnection() }
            #expect(world.network.now - start < 400_000_000)
            #expect(world.dials + [world.network.dials(to: other.address)] == dials)
            #expect(
                world.lastAttempts == [
                    "[::1]:19000 overtaken", "127.0.0.1:19000 refused", "127.0.0.2:19000 connected",
                ])
            #expect(world.isClean)
        }
    }

    @Test("an endpoint that was overtaken has not failed; one that took too long has")
    func health() throws {
        let world = try RaceWorld(upstream: ", health: {failures: 1}, retries: 0")
        world.sixth.behaviour = .hangs
        try world.serve { world.fourth.takeConnection() }
        #expect(world.worker.takeEndpointReports().isEmpty)
        let slow = try RaceWorld(upstream: ", health: {failures: 1}, retries: 0", limits: "{connectTimeout: 300ms}")
        slow.sixth.behaviour = .hangs
        slow.fourth.behaviour = .hangs
        // The other one wins after the first one's time.
        let start = slow.network.now
        try slow.serve(after: { if slow.network.now - start > 400_000_000 { slow.fourth.behaviour = .accepts } }) {
            slow.fourth.takeConnection()
        }
        #expect(slow.lastAttempts == ["[::1]:19000 timeout", "127.0.0.1:19000 connected"])
        #expect(slow.worker.takeEndpointReports().map(\.address) == [slow.sixth.address])
    }

    @Test("without a descriptor for the rival, or with others that wait for its place, the first one goes on alone")
    func noRoom() throws {
        let world = try RaceWorld()
        world.sixth.behaviour = .hangs
        let client = try world.client()
        #expect(
            try world.turn {
                client.act(20_000); return world.dials[0] == 1
            })
        world.network.descriptorLimit = world.network.openDescriptors
        let start = world.network.now
        while world.network.now - start < 1_000_000_000 { try world.step() }
        #expect(world.dials == [1, 0] && world.records.isEmpty)
        world.network.descriptorLimit = .max
        world.sixth.behaviour = .accepts
        #expect(
            try world.turn {
                client.act(20_000); return world.sixth.waiting == 1
            })
        client.socket.close()
        #expect(try world.endsClean())
    }

    @Test("each of the two has a place at its endpoint until it is decided; who waits for one races with nobody")
    func places() throws {
        let world = try RaceWorld(upstream: ", connectionsPerEndpoint: 1")
        world.sixth.behaviour = .hangs
        world.fourth.behaviour = .hangs
        let first = try world.client()
        let second = try world.client(1)
        #expect(
            try world.turn {
                first.act(20_000); return world.dials == [1, 1]
            })
        #expect(world.connections == [1, 1])
        let start = world.network.now
        while world.network.now - start < 500_000_000 {
            second.act(20_000)
            try world.step()
        }
        #expect(world.dials == [1, 1])
        world.fourth.behaviour = .accepts
        let socket = try #require(try world.taken { world.fourth.takeConnection() })
        #expect(try world.turn { world.connections == [0, 1] })
        let application = SimulatedApplication(socket)
        let other = try world.taken {
            first.act(20_000)
            second.act(20_000)
            application.act(20_000) { _ in 500 }
            return world.fourth.takeConnection()
        }
        #expect(other != nil && first.isOver && world.dials == [1, 2])
        for client in [first, second] { client.socket.close() }
        for socket in [socket, other] { socket?.close() }
        #expect(try world.endsClean())
    }

    @Test(
        "whatever happens to a connection while two race, nothing is left of either",
        arguments: ["client", "cut", "drain", "policy", "addresses", "route"])
    func ends(cause: String) throws {
        for moment in 0..<12 {
            let world = try RaceWorld(seed: UInt64(moment))
            world.sixth.behaviour = .hangs
            world.fourth.behaviour = .hangs
            let client = try world.client()
            #expect(
                try world.turn {
                    client.act(20_000); return world.dials == [1, 1]
                })
            for _ in 0..<moment { try world.step() }
            switch cause {
            case "client": client.socket.reset()
            case "cut": world.worker.cutAll()
            case "drain": world.worker.stopOutbound()
            case "policy":
                world.worker.install(try world.update(callers: "spiffe://example.org/ns/default/sa/nobody"))
            case "addresses":
                world.worker.install(try world.update(addresses: [try #require(IPAddress(parsing: "127.0.0.3"))]))
            default:
                world.worker.install(try world.update(replacing: "name: in, up", with: "name: other, up"))
            }
            // Of an ended connection, a connect may still succeed at the last moment.
            if moment % 2 == 0 { world.fourth.behaviour = .accepts }
            if moment % 3 == 0 { world.sixth.behaviour = .accepts }
            for _ in 0..<moment { try world.step() }
            client.socket.close()
            #expect(try world.endsClean(listeners: cause == "cut" || cause == "drain" ? 0 : 3), "moment \(moment)")
            #expect(world.records.count == 1)
        }
    }

    @Test("an answer that leads back to the proxy is no rival: the first one goes on alone")
    func leadsBack() throws {
        let world = try SimulatedWorld(
            seed: 1, faults: .none, endpoints: ["localhost:15001"],
            addresses: try ["::1", "127.0.0.1"].map { try #require(IPAddress(parsing: $0)) })
        let hanging = world.network.backend(at: SocketAddress(v6: 0, 1, port: 15001))
        hanging.behaviour = .hangs
        let client = try TLSClient(
            world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(0)),
            as: TestIdentities.shared.allowed, sending: Stream(number: 0, length: 900), answer: 100)
        #expect(
            try world.turn {
                client.act(20_000); return world.records.count == 1
            })
        #expect(world.network.dials(to: hanging.address) == 1)
        #expect(world.network.dials(to: SimulatedWorld.outbound) == 0)
        client.socket.close()
        #expect(try world.turn { world.isQuiet })
    }

    @Test("spare connections race as well")
    func spares() throws {
        let world = try RaceWorld(servers: ["localhost:15444"], upstream: "", spares: 1)
        let hanging = world.network.backend(at: SocketAddress(v6: 0, 1, port: 15444))
        hanging.behaviour = .hangs
        #expect(try world.turn { world.worker.listeners[1].spares[0].ready.count == 1 })
        #expect(world.network.dials(to: hanging.address) == 1)
        #expect(world.network.dials(to: SimulatedWorld.echo) == 1)
        world.worker.stopOutbound()
        #expect(try world.turn { world.worker.isFinished })
        #expect(world.isClean)
    }

    @Test("whatever the network does, every byte counts and nothing is left", arguments: 0..<8)
    func seeds(block: UInt64) throws {
        var raced: UInt64 = 0
        for seed in (block * 40)..<(block * 40 + 40) {
            let faults = seed % 3 == 0 ? SimulatedFaults.none : .all
            let world = try RaceWorld(
                seed: seed, faults: faults,
                upstream: [", retries: 0", "", ", connectionsPerEndpoint: 2", ", balance: roundRobin"][Int(seed % 4)],
                addresses: ["::1", "127.0.0.1", "127.0.0.2"])
            let others = [
                world.sixth, world.fourth, world.network.backend(at: SocketAddress(v4: 0x7F00_0002, port: 19000)),
            ]
            let clients = try (0..<5).map { try world.client($0) }
            var applications: [SimulatedApplication] = []
            for turn in 0..<400 {
                for other in others where world.generator.chance(5) {
                    other.behaviour = [.accepts, .hangs, .hangs, .refuses].randomElement(using: &world.generator)!
                }
                for client in clients where world.generator.chance(60) { client.act(20_000) }
                for other in others {
                    while let socket = other.takeConnection() { applications.append(SimulatedApplication(socket)) }
                }
                for application in applications where world.generator.chance(60) {
                    application.act(20_000) { _ in 700 }
                    #expect(application.check.isTrue, "seed \(seed)")
                }
                if turn == 200, seed % 5 == 0 {
                    world.worker.install(try world.update(addresses: [try #require(IPAddress(parsing: "127.0.0.1"))]))
                }
                if turn == 300, seed % 7 == 0 { world.worker.cutAll() }
                try world.step()
            }
            #expect(clients.allSatisfy { $0.plaintext.isTrue }, "seed \(seed)")
            for client in clients { client.socket.close() }
            for application in applications { application.socket.close() }
            world.network.faults = .none
            for other in others { other.behaviour = .refuses }
            #expect(try world.endsClean(listeners: seed % 7 == 0 ? 0 : 3), "seed \(seed)")
            raced += world.worker.dialCounts.overtaken
        }
        #expect(raced > 0, "nothing was raced")
    }
}

/// A world whose application has a name with both families.
private final class RaceWorld {
    let world: SimulatedWorld
    let sixth: SimulatedBackend
    let fourth: SimulatedBackend

    init(
        seed: UInt64 = 1, faults: SimulatedFaults = .none, servers: [String] = ["127.0.0.1:15443"],
        upstream: String = "", limits: String = "{}", addresses: [String] = ["::1", "127.0.0.1"], spares: Int = 0
    ) throws {
        world = try SimulatedWorld(
            seed: seed, faults: faults, limits: limits, endpoints: ["localhost:19000"], servers: servers,
            upstream: upstream, spares: spares,
            addresses: try addresses.map { try #require(IPAddress(parsing: $0)) })
        sixth = world.network.backend(at: SocketAddress(v6: 0, 1, port: 19000))
        fourth = world.network.backend(at: SimulatedWorld.application)
    }

    var network: SimulatedNetwork { world.network }
    var records: [AccessRecord] { world.records }
    var worker: Worker {
        _read { yield world.worker }
        _modify { yield &world.worker }
    }
    var generator: SeededGenerator {
        get { world.generator }
        set { world.generator = newValue }
    }

    /// How often each of the two was dialled.
    var dials: [Int] { [sixth, fourth].map { network.dials(to: $0.address) } }

    var lastAttempts: [String] { records.last?.attempts.map { "\($0.upstream) \($0.outcome)" } ?? [] }

    /// Of the application's endpoints, in the order of its addresses.
    var connections: [Int] {
        let group = worker.listeners[0].endpoints[0].group
        return group.ids.map { group.connections(of: $0) }
    }

    /// Nothing counts at any endpoint, and no rival is left.
    var isClean: Bool {
        var connections = 0
        for listener in worker.listeners {
            for route in listener.endpoints {
                for id in route.group.ids { connections += route.group.connections(of: id) }
            }
        }
        return connections == 0 && worker.rivals == 0 && world.isQuiet && worker.staleCompletionCount == 0
    }

    func step() throws { try world.step() }

    func turn(until condition: () throws -> Bool) throws -> Bool { try world.turn(until: condition) }

    func update(
        callers: String? = nil, replacing old: String = "", with new: String = "", addresses: [IPAddress]? = nil
    ) throws -> WorkerUpdate {
        try world.update(callers: callers, replacing: old, with: new, addresses: addresses)
    }

    func client(_ index: Int = 0) throws -> TLSClient {
        try TLSClient(
            network.connectPeer(to: SimulatedWorld.inbound, from: world.from(index)),
            as: TestIdentities.shared.allowed, sending: Stream(number: UInt64(index), length: 900),
            answer: UInt64(index) + 100)
    }

    /// Steps until there is one.
    func taken(_ take: () -> PeerSocket?) throws -> PeerSocket? {
        var socket: PeerSocket?
        _ = try turn {
            socket = socket ?? take()
            return socket != nil
        }
        return socket
    }

    /// One connection from its beginning to its end.
    func serve(after change: () -> Void = {}, _ take: () -> PeerSocket?) throws {
        let client = try client()
        let count = records.count
        let socket = try #require(
            try taken {
                change()
                client.act(20_000)
                return take()
            })
        let application = SimulatedApplication(socket)
        let isOver = try turn {
            client.act(20_000)
            application.act(20_000) { _ in 500 }
            return client.isOver && records.count == count + 1
        }
        #expect(isOver && client.plaintext.received == 500)
        client.socket.close()
        socket.close()
    }

    /// Lets everything end; true if then nothing is left.
    func endsClean(listeners: Int = 3) throws -> Bool {
        let isQuiet = try turn {
            for backend in [sixth, fourth] { while let socket = backend.takeConnection() { socket.reset() } }
            return world.isQuiet
        }
        if !isQuiet {
            network.advance(nanoseconds: 4_000_000_000_000)
            _ = try turn {
                for backend in [sixth, fourth] { while let socket = backend.takeConnection() { socket.reset() } }
                return world.isQuiet
            }
        }
        return isClean && network.openDescriptors == listeners
    }
}
