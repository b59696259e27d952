import Glibc
import Loopback
import PosternTesting

/// A few connections that transfer bytes in one direction at full speed. Units: bits.
struct BulkLoad {
    enum Direction { case up, down }

    let direction: Direction
    let connections: Int
    let window: Duration

    func measure(_ pair: ProxyPair, backend: Backend) throws -> Sample {
        let clients = try (0..<connections).map { _ in
            let client = try TCPConnection.connect(to: pair.address)
            try client.send([direction == .up ? Backend.Mode.discard.rawValue : Backend.Mode.source.rawValue])
            return client
        }
        defer { for client in clients { client.reset() } }
        var poller = Poller()
        for (slot, client) in clients.enumerated() {
            poller.add(client.number, direction == .up ? .writing : .reading, key: slot)
        }
        var buffer = [UInt8](repeating: 0xa5, count: 256 << 10)
        _ = try move(clients, &poller, &buffer, until: .within(.milliseconds(200)))
        let stopwatch = Stopwatch(pair)
        let discardedBefore = backend.received.discardedBytes
        let received = try move(clients, &poller, &buffer, until: .within(window))
        let bytes = direction == .up ? backend.received.discardedBytes - discardedBefore : received
        guard bytes > 0 else { throw BenchFault.nothingMoved("bulk through \(pair.label)") }
        return stopwatch.sample(units: Double(bytes) * 8)
    }

    /// Keeps all connections busy, and returns the number of bytes received.
    private func move(
        _ clients: [TCPConnection], _ poller: inout Poller, _ buffer: inout [UInt8], until deadline: Deadline
    ) throws -> Int {
        var received = 0
        while !deadline.hasPassed {
            for event in poller.wait(until: deadline) {
                let client = clients[event.key]
                let count =
                    direction == .up
                    ? client.sendSome(buffer, from: 0, count: buffer.count) : client.receiveSome(into: &buffer)
                guard count > 0 || (count < 0 && errno == EAGAIN) else {
                    throw SocketFault.endedEarly(receivedBytes: received, expectedBytes: .max)
                }
                if direction == .down { received += max(0, count) }
            }
        }
        return received
    }
}
