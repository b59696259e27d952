import EventLoop
import PosternTesting
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

/// Connections that wait for a place at an endpoint which has as many as it may.
@Suite("A connection that waits for a place at an endpoint")
struct WaitingTests {
    private static let other = SocketAddress(v4: 0x7F00_0001, port: 19001)
    private static let route = "routes: [{name: in, upstream: {endpoints: [\"127.0.0.1:19000\"]"
    private static let elsewhere = "upstream: {endpoints: [\"127.0.0.1:19001\"], connectionsPerEndpoint: 1}"

    @Test("is served in the order in which it came")
    func order() throws {
        let world = try world()
        var clients: [TLSClient] = []
        for index in 0..<6 { clients.append(try client(index, world)) }
        for index in clients.indices {
            try serve(index, at: SimulatedWorld.application, world, clients)
        }
        #expect(try turn(world, clients) { world.isQuiet })
        #expect(world.dialledApplication == clients.count)
    }

    /// The one connection that comes to `backend` is that client's; it is served, and ends.
    private func serve(
        _ number: Int, at backend: SocketAddress, _ world: SimulatedWorld, _ clients: [TLSClient]
    ) throws {
        try #require(try turn(world, clients) { world.network.backend(at: backend).waiting == 1 })
        let application = SimulatedApplication(try #require(world.network.backend(at: backend).takeConnection()))
        #expect(
            try turn(world, clients) {
                application.act(1_000) { _ in 0 }
                return application.check.number != nil
            })
        #expect(application.check.number == UInt64(number))
        application.socket.close()
        clients[number].socket.close()
    }

    @Test("waits for as long as a dial may take, however often something changes meanwhile")
    func limit() throws {
        let world = try world(limits: "{connectTimeout: 1s}")
        let clients = [try client(0, world), try client(1, world)]
        let began = world.network.now
        var installs: UInt64 = 0
        #expect(
            try turn(world, clients) {
                if world.network.now - began > installs * 300_000_000 {
                    world.worker.install(try world.update(keepsContexts: true))
                    installs += 1
                }
                return clients[1].isOver
            })
        let waited = world.network.now - began
        #expect(waited >= 950_000_000 && waited < 1_200_000_000, "\(waited)")
        #expect(try turn(world, clients) { world.records.count == 1 })
        let record = try #require(world.records.first)
        #expect(record.closeReason == CloseReason.upstreamLimit.rawValue)
        #expect(record.closeDetail == "every endpoint has as many connections as it may")
        #expect(installs >= 3 && world.dialledApplication == 1)
        try end(world, clients)
    }

    @Test("is not dialled for once a change denies it, although the same change makes room for it")
    func denied() throws {
        let world = try world()
        let holder = try client(0, world, as: TestIdentities.shared.server)
        // More than one step of the sweep looks at.
        let denied = try (1...100).map { try client($0, world) }
        let clients = [holder] + denied
        #expect(try turn(world, clients) { waiting(world) == denied.count })
        world.worker.install(
            try world.update(
                callers: "spiffe://example.org/ns/default/sa/server", replacing: "connectionsPerEndpoint: 1",
                with: "connectionsPerEndpoint: 1000"))
        #expect(try turn(world, clients) { world.records.count == denied.count })
        #expect(world.records.allSatisfy { $0.closeReason == CloseReason.policyChanged.rawValue })
        #expect(world.dialledApplication == 1)
        try end(world, clients)
    }

    @Test(
        "goes to the endpoints of the route that it has after a change, and to the old one's no more",
        arguments: [true, false])
    func moved(keepsOldRoute: Bool) throws {
        let world = try world()
        let clients = try (0..<4).map { try client($0, world) }
        #expect(try turn(world, clients) { waiting(world) == 3 })
        // The old route stays behind the new one, which takes all of its connections, or goes.
        let next =
            keepsOldRoute
            ? "routes: [{name: next, match: {destinationPorts: [15443]}, \(Self.elsewhere), policy: callers}, "
                + Self.route.dropFirst("routes: [".count)
            : "routes: [{name: next, upstream: {endpoints: [\"127.0.0.1:19001\"]"
        world.worker.install(try world.update(replacing: Self.route, with: next))
        for number in 1..<4 {
            try serve(number, at: Self.other, world, clients)
        }
        #expect(world.dialledApplication == 1)
        try end(world, clients)
    }

    @Test("outbound it goes to its new route as well, or ends at once if it has none")
    func outbound() throws {
        for (old, new) in [
            ("- name: out\n        upstream", "- name: next\n        upstream"),
            ("- name: out\n        upstream", "- name: next\n        match: {destinationPorts: [1]}\n        upstream"),
        ] {
            let world = try world()
            _ = world.network.backend(at: SimulatedWorld.application)
            let sockets = (0..<2).map {
                world.network.connectPeer(to: SimulatedWorld.outbound, from: world.from($0))
            }
            #expect(
                try world.turn {
                    world.worker.listeners[1].endpoints[0].waiting.count == 1 && world.dialledApplication == 1
                })
            let dials = world.network.dials(to: SimulatedWorld.inbound)
            world.worker.install(try world.update(replacing: old, with: new))
            if new.contains("match") {
                #expect(try world.turn { sockets[1].wasReset })
                #expect(world.records.last?.closeReason == CloseReason.routeRemoved.rawValue)
                #expect(world.network.dials(to: SimulatedWorld.inbound) == dials)
            } else {
                #expect(try world.turn { world.network.dials(to: SimulatedWorld.inbound) == dials + 1 })
            }
            for socket in sockets { socket.close() }
            try end(world, [])
        }
    }

    // MARK: Clients

    private func world(limits: String = "{}") throws -> SimulatedWorld {
        let world = try SimulatedWorld(
            seed: 11, faults: .none, limits: limits, upstream: ", connectionsPerEndpoint: 1")
        _ = world.network.backend(at: SimulatedWorld.application)
        _ = world.network.backend(at: Self.other)
        return world
    }

    /// A client whose stream has its number, once it is served or waits.
    private func client(
        _ number: Int, _ world: SimulatedWorld, as material: IdentityMaterial = TestIdentities.shared.allowed
    ) throws -> TLSClient {
        let before = waiting(world) + world.dialledApplication
        let client = try TLSClient(
            world.network.connectPeer(to: SimulatedWorld.inbound, from: world.from(number)), as: material,
            sending: Stream(number: UInt64(number), length: 700), answer: UInt64(number) + 100, closing: false)
        #expect(try turn(world, [client]) { waiting(world) + world.dialledApplication > before })
        return client
    }

    private func waiting(_ world: SimulatedWorld) -> Int { world.worker.listeners[0].endpoints[0].waiting.count }

    /// Everyone leaves, and nothing stays.
    private func end(_ world: SimulatedWorld, _ clients: [TLSClient]) throws {
        for client in clients { client.socket.close() }
        #expect(
            try world.turn {
                for address in [SimulatedWorld.application, Self.other] {
                    while let socket = world.network.backend(at: address).takeConnection() { socket.reset() }
                }
                return world.isQuiet
            })
    }

    private func turn(
        _ world: SimulatedWorld, _ clients: [TLSClient], until condition: () throws -> Bool
    ) throws -> Bool {
        try world.turn {
            for client in clients { client.act(20_000) }
            return try condition()
        }
    }
}
