import EventLoop
import Policy
import PosternTesting
import Resolution
import Settings
import System
import TLS
import Telemetry
import Testing

@testable import DataPlane
@testable import SVID

/// A worker with an outbound and an inbound listener in a simulated network, and the clients and applications around
/// it.
final class SimulatedWorld {
    static let inbound = SocketAddress(v4: 0x7F00_0001, port: 15443)
    static let outbound = SocketAddress(v4: 0x7F00_0001, port: 15001)
    static let echo = SocketAddress(v4: 0x7F00_0001, port: 15444)
    static let application = SocketAddress(v4: 0x7F00_0001, port: 19000)
    static let transparent = SocketAddress(v4: 0x7F00_0001, port: 15002)
    static let transparentInbound = SocketAddress(v4: 0x7F00_0001, port: 15006)

    let network: SimulatedNetwork
    var worker: Worker
    var generator: SeededGenerator
    private let log: Log
    private let settingsText: String
    /// What the worker was made from; by it an update knows what stays.
    private let firstUpdate: WorkerUpdate
    private let memoryBytes: Int
    private let addresses: [IPAddress]

    final class Log {
        var records: [AccessRecord] = []
    }

    /// - Parameters:
    ///   - endpoints: the inbound listener's applications.
    ///   - servers: where the outbound listener goes.
    ///   - balancers: who names the clients of the echo.
    ///   - upstream: further keys of both upstreams, each behind a comma.
    ///   - spares: the outbound route's `preconnect`.
    ///   - memoryBytes: the worker's, for all that grows with its peers.
    ///   - addresses: what every name stands for.
    ///   - queue: who accepts from the listeners' queues.
    ///   - isTransparent: adds listeners to which a firewall redirects.
    init(
        seed: UInt64, faults: SimulatedFaults, limits: String = "{}", endpoints: [String] = ["127.0.0.1:19000"],
        servers: [String] = ["127.0.0.1:15443"], balancers: [String] = ["203.0.113.1"],
        upstream: String = "", spares: Int = 0, materials: TestIdentities = .shared, memoryBytes: Int = 256 << 20,
        addresses: [IPAddress] = [], isTransparent: Bool = false, queue: AcceptQueue = .ofWorker
    ) throws {
        generator = SeededGenerator(seed: seed)
        var loopLimits = LoopLimits()
        loopLimits.receiveBuffers = 4
        loopLimits.receiveBufferBytes = seed % 8 == 0 ? 64 * 1024 : 4096
        let network = SimulatedNetwork(seed: seed, faults: faults, limits: loopLimits)
        self.network = network
        settingsText = Self.settings(
            limits: limits, endpoints: endpoints, servers: servers, balancers: balancers,
            upstream: upstream, spares: spares == 0 ? "" : ", preconnect: \(spares)",
            more: isTransparent ? Self.transparentListeners : "")
        self.memoryBytes = memoryBytes
        self.addresses = addresses
        let plan = try Self.plan(settingsText, materials.server, memoryBytes, addresses)
        let binds = plan.listeners.map(\.bind)
        let log = Log()
        self.log = log
        let acceptors = binds.enumerated().map { index, address in
            AcceptorUpdate(
                key: index, descriptor: network.listen(on: address), address: address, listener: index, queue: queue)
        }
        let update = try WorkerUpdate(plan, acceptors: acceptors, clock: WallClock.seconds)
        firstUpdate = update
        worker = try Worker(
            update, loop: .simulated(network),
            clock: WallClock.seconds, emit: { log.records.append($0) })
    }

    var records: [AccessRecord] { log.records }

    /// Nothing of any connection is left.
    var isQuiet: Bool {
        worker.activeConnections == 0 && worker.lentBuffers == 0 && network.lentBuffers == 0
    }

    func from(_ index: Int) -> SocketAddress { SocketAddress(v4: 0x7F00_0002, port: UInt16(20000 + index)) }

    func step() throws { try worker.step(limitNanoseconds: 5_000_000) }

    /// Steps the worker until the condition holds; false if it does not within that many turns.
    func turn(_ limit: Int = 4000, until condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<limit {
            if try condition() { return true }
            try step()
        }
        return try condition()
    }

    /// An update of the worker: its settings with other callers, or another identity.
    ///
    /// - Parameter keepsContexts: TLS contexts stay where nothing has changed that they were made from.
    func update(
        callers: String? = nil, material: IdentityMaterial? = TestIdentities.shared.server,
        replacing old: String = "", with new: String = "", addresses: [IPAddress]? = nil, keepsContexts: Bool = false
    ) throws -> WorkerUpdate {
        var text = old.isEmpty ? settingsText : settingsText.replacing(old, with: new)
        if let callers {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            text = lines.map { $0.contains("sa/client\"") ? "        identities: [\"\(callers)\"]" : $0 }
                .joined(separator: "\n")
        }
        let plan = try Self.plan(text, material, memoryBytes, addresses ?? self.addresses)
        let acceptors = plan.listeners.enumerated().map { index, listener in
            AcceptorUpdate(key: index, descriptor: nil, address: listener.bind, listener: index)
        }
        return try WorkerUpdate(
            plan, acceptors: acceptors, after: keepsContexts ? firstUpdate : nil, clock: WallClock.seconds)
    }

    /// How often the application was dialled.
    var dialledApplication: Int { network.dials(to: Self.application) }

    private static func plan(
        _ text: String, _ material: IdentityMaterial?, _ memoryBytes: Int, _ addresses: [IPAddress]
    ) throws -> ProxyPlan {
        let outcome = Settings.parse(text: Array(text.utf8), file: "simulated.yaml")
        let settings = try #require(outcome.settings, "\(outcome.flaws)")
        let questions = settings.listeners.flatMap(\.routes).flatMap(\.upstream.questions)
        let answers = questions.map { ($0, addresses.map { ResolvedAddress($0) }) }
        return ProxyPlan(
            settings: settings, material: material, workers: 1, memoryBytes: memoryBytes,
            names: ResolvedNames(Dictionary(answers, uniquingKeysWith: { one, _ in one })))
    }

    private static let transparentListeners = """
          - name: passing
            mode: outbound
            bind: 127.0.0.1:15002
            transparent: redirect
            unmatched: passthrough
            routes:
              - name: mesh
                match: {destinations: [10.0.0.0/8]}
                upstream: {original: true, identities: ["spiffe://example.org/ns/default/sa/server"]}
          - name: original
            mode: inbound
            bind: 127.0.0.1:15006
            transparent: redirect
            routes: [{name: original, upstream: {original: true}, policy: callers}]
        """

    private static func settings(
        limits: String, endpoints: [String], servers: [String], balancers: [String], upstream: String,
        spares: String, more: String
    ) -> String {
        """
        identity: {files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: b.pem}}}
        listeners:
          - name: in
            mode: inbound
            bind: 127.0.0.1:15443
            routes: [{name: in, upstream: {endpoints: \(endpoints)\(upstream)}, policy: callers}]
          - name: out
            mode: outbound
            bind: 127.0.0.1:15001
            routes:
              - name: out
                upstream:
                  {endpoints: \(servers), identities: ["spiffe://example.org/ns/default/sa/server"]\(upstream)\(spares)}
          - name: echo
            mode: inbound
            bind: 127.0.0.1:15444
            acceptProxyProtocol: {from: \(balancers)}
            routes: [{name: echo, upstream: {builtin: echo}, policy: callers}]
        \(more)
        policies:
          callers:
            rules:
              - name: callers
                action: allow
                identities: ["spiffe://example.org/ns/default/sa/client", "spiffe://example.org/ns/default/sa/server"]
        limits: \(limits)
        """
    }
}

/// An application behind the proxy: it learns from the first byte which stream comes, and answers with its own.
final class SimulatedApplication {
    let socket: PeerSocket
    private(set) var check = StreamCheck()
    private var answer: Stream?
    private var finished = false

    init(_ socket: PeerSocket) {
        self.socket = socket
    }

    func act(_ limit: Int, answerLength: (UInt64) -> Int) {
        check.take(socket.read(limit))
        if answer == nil, let number = check.number {
            answer = Stream(number: number + 100, length: answerLength(number))
        }
        if let next = answer?.next(limit), !next.isEmpty { answer?.wrote(socket.write(next)) }
        if socket.isFinished, answer?.isDone ?? true, !finished {
            finished = true
            socket.shutdownWrite()
        }
    }
}
