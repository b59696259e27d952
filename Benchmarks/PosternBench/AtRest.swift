import Glibc
import Loopback
import PosternTesting

/// A new pair's time to the first relayed byte, and its memory then.
enum AtRest {
    static func measure(_ kind: ProxyKind, site: Site, plan: Plan) throws -> [Reading] {
        let pair = try ProxyPair(kind, resumption: false, site: site, plan: plan)
        let memory = ProcessFigures(of: pair.process.identifier).memoryKiB
        return [
            (.start, [pair.startMilliseconds]), (.rest, [Double(memory.resident) / 1_024]),
            (.restPrivate, [Double(memory.anonymous) / 1_024]),
        ]
    }
}

/// The memory that each idle connection adds to a pair.
enum Idle {
    /// Opens more and more connections through a pair of its own.
    static func measure(_ kind: ProxyKind, site: Site, plan: Plan) throws -> [Reading] {
        let most = plan.idleConnections.last ?? 0
        let pair = try ProxyPair(kind, resumption: false, site: site, plan: plan, capacity: 2 * most + 100)
        let figures = ProcessFigures(of: pair.process.identifier)
        let rest = figures.memoryKiB.resident
        var open: [TCPConnection] = []
        defer { for connection in open { connection.reset() } }
        return try plan.idleConnections.map { count in
            while open.count < count { open += try begin(min(batch, count - open.count), pair) }
            return (.idle(count), [Double(figures.memoryKiB.resident - rest) / Double(count)])
        }
    }

    /// In small batches, to stay below every proxy's limit of concurrent handshakes.
    private static func begin(_ count: Int, _ pair: ProxyPair) throws -> [TCPConnection] {
        let connections = try (0..<count).map { _ in
            let connection = try TCPConnection.connect(to: pair.address)
            try connection.send([Backend.Mode.echo.rawValue, 1])
            return connection
        }
        for connection in connections { _ = try connection.receive(exactly: 1) }
        return connections
    }

    private static let batch = 16
}

/// How many idle pairs fit the descriptor limit of one process: each needs four in the proxy.
func idlePairsThatFit(_ wanted: [Int]) -> [Int] {
    let limit = raiseDescriptorLimit(to: 4 * (wanted.max() ?? 0) + 1_000)
    let most = max(1, (limit - 400) / 4)
    return Set(wanted.map { min($0, most) }).sorted()
}
