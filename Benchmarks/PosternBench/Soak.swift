import ArgumentParser
import BenchFigures
import Glibc
import Loopback
import PosternTesting

/// Runs one pair under varying load for a long time.
struct Soak: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs one pair under varying load, and fails if memory or descriptors are not released.",
        discussion: """
            Each cycle is bulk both ways, echo, new connections, clients that vanish, garbage and cut handshakes. \
            After it, with no connection left, the proxy must hold as many sockets as at the start, and no more than \
            the allowed memory above the fifth cycle's.
            """)

    @Option(help: "The length of the run.")
    var minutes = 10.0

    @Option(help: "haproxy, nginx, postern, postern-epoll or postern-io_uring.")
    var proxy = "postern"

    @Option(help: "The postern binary; next to this one by default.")
    var postern: String?

    @Option(
        name: .customLong("growth-kib"),
        help: "How much resident memory may grow after the first cycles, in KiB: caches fill and the heap fluctuates.")
    var growthKiB = 4_096

    @Option(help: "The CPU core of the proxy.")
    var proxyCore = 0

    @Option(help: "The CPU core of clients and backend.")
    var loadCore = 1

    func run() throws {
        guard pinToCore(loadCore) else { throw ValidationError("there is no core \(loadCore): give --load-core") }
        guard let kind = ProxyKind(rawValue: proxy) else { throw ValidationError("no proxy \(proxy)") }
        let plan = Plan(
            rounds: 1, windowSeconds: 1, idleConnections: [], wantedIdleConnections: 0, bulkConnections: 4,
            proxyCore: proxyCore,
            loadCore: loadCore, topologies: [.pair], selection: nil)
        let site = try Site(posternPath: postern ?? siblingPath("postern"))
        let pair = try ProxyPair(kind, resumption: kind.hasResumption, site: site, plan: plan)
        let cycle = SoakCycle(pair: pair, backend: site.backend)
        let figures = ProcessFigures(of: pair.process.identifier)
        let socketsAtStart = figures.socketCount
        let deadline = Deadline.within(.seconds(minutes * 60))
        var settledKiB: Int?
        var number = 0
        while number <= Self.settlingCycles || !deadline.hasPassed {
            number += 1
            try cycle.run()
            let sockets = try cycle.awaitSockets(figures, atMost: socketsAtStart)
            let memory = figures.memoryKiB
            say("cycle \(number): \(memory.resident) KiB resident, \(memory.anonymous) KiB private, \(sockets) sockets")
            if number == Self.settlingCycles { settledKiB = memory.resident }
            if let settledKiB, memory.resident > settledKiB + growthKiB {
                throw SoakFault.grown(fromKiB: settledKiB, toKiB: memory.resident, cycles: number)
            }
        }
        print("\(pair.label): \(number) cycles, memory and descriptors were released after each")
    }

    private static let settlingCycles = 5
}

/// The resource that was not released.
enum SoakFault: Error, CustomStringConvertible {
    case grown(fromKiB: Int, toKiB: Int, cycles: Int)
    case socketsLeft(Int, atStart: Int)
    case proxyEnded(ProcessExit?, log: String)

    var description: String {
        switch self {
        case .grown(let from, let to, let cycles): "memory grew from \(from) to \(to) KiB in \(cycles) cycles"
        case .socketsLeft(let count, let start): "\(count) sockets are open, \(start) at the start"
        case .proxyEnded(let exit, let log): "the proxy ended (\(String(describing: exit))); it says:\n\(log)"
        }
    }
}

/// One cycle of every kind of load.
private struct SoakCycle {
    let pair: ProxyPair
    let backend: Backend

    func run() throws {
        let window = Duration.seconds(1)
        _ = try BulkLoad(direction: .up, connections: 4, window: window).measure(pair, backend: backend)
        _ = try BulkLoad(direction: .down, connections: 4, window: window).measure(pair, backend: backend)
        _ = try EchoLoad(pace: .closed, connections: 64, window: window).measure(pair)
        _ = try ConnectLoad(concurrency: 16, window: window).measure(pair)
        try vanish()
        try garble()
        guard pair.process.isRunning else {
            throw SoakFault.proxyEnded(pair.process.awaitExit(), log: pair.process.standardError.text)
        }
    }

    /// Clients that reset, some in the middle of a response, some before sending a byte.
    private func vanish() throws {
        for round in 0..<200 {
            let client = try TCPConnection.connect(to: pair.address)
            if round % 3 == 1 { try client.send([Backend.Mode.source.rawValue]) }
            if round % 3 == 2 {
                try client.send([Backend.Mode.echo.rawValue, 1])
                _ = try client.receive(exactly: 1)
            }
            if round % 2 == 0 { client.reset() } else { client.close() }
        }
    }

    /// Garbage and partial handshakes, sent directly to the TLS port.
    private func garble() throws {
        let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + [UInt8](repeating: 9, count: 400)
        for round in 0..<200 {
            let client = try TCPConnection.connect(to: pair.ports.inbound)
            try? client.send(round % 2 == 0 ? [UInt8](repeating: UInt8(round), count: 300) : Array(hello.prefix(round)))
            if round % 5 == 0 { client.reset() } else { client.finishSending() }
            if round % 5 != 0 { _ = client.awaitEnd(within: .seconds(10)) }
        }
    }

    /// Waits until the connections of the cycle are closed.
    func awaitSockets(_ figures: ProcessFigures, atMost limit: Int) throws -> Int {
        let deadline = Deadline.within(.seconds(10))
        while true {
            let count = figures.socketCount
            if count <= limit { return count }
            guard !deadline.hasPassed else { throw SoakFault.socketsLeft(count, atStart: limit) }
            usleep(10_000)
        }
    }
}
