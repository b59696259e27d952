import System

/// An address at which a simulation's connections arrive, the proxy's or a tester's.
final class SimulatedListener {
    let address: SocketAddress
    private var waiting: [SimulatedConnection] = []

    init(address: SocketAddress) {
        self.address = address
    }

    var isEmpty: Bool { waiting.isEmpty }
    var isFull: Bool { waiting.count >= Self.backlog }
    var count: Int { waiting.count }

    func append(_ connection: SimulatedConnection) {
        waiting.append(connection)
    }

    func removeFirst() -> SimulatedConnection {
        waiting.removeFirst()
    }

    /// Connections that were never accepted are reset.
    func close() {
        for connection in waiting { connection.reset(.acceptor) }
        waiting = []
    }

    private static let backlog = 4096
}
