import Glibc
import Loopback

/// What a fresh pair weighs at rest and with idle connections.
struct MemoryFigures: Sendable {
    var restResidentKiB: Int
    var restAnonymousKiB: Int
    var idlePairKiB: Double

    /// Starts a pair of its own, reads its memory, opens `count` connections, and reads it again.
    static func measure(_ kind: ProxyKind, site: Site, plan: Plan) throws -> MemoryFigures {
        let pair = try ProxyPair(kind, resumption: false, site: site, plan: plan)
        let figures = ProcessFigures(of: pair.process.identifier)
        let rest = figures.memoryKiB
        var idle: [TCPConnection] = []
        while idle.count < plan.idleConnections {
            // In small batches: no proxy is asked for more handshakes at once than it allows.
            let batch = try (0..<min(16, plan.idleConnections - idle.count)).map { _ in
                let connection = try TCPConnection.connect(to: pair.address)
                try connection.send([Backend.Mode.echo.rawValue, 1])
                return connection
            }
            for connection in batch { _ = try connection.receive(exactly: 1) }
            idle += batch
        }
        let loaded = figures.memoryKiB
        return MemoryFigures(
            restResidentKiB: rest.resident, restAnonymousKiB: rest.anonymous,
            idlePairKiB: Double(loaded.resident - rest.resident) / Double(idle.count))
    }
}
