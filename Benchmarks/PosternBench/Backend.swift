import Glibc
import Loopback
import PosternTesting
import Synchronization

/// The plaintext application behind every pair, on a thread of its own. The first byte of a connection selects its
/// mode.
final class Backend: Sendable {
    enum Mode: UInt8, Sendable {
        case echo = 0x45
        case discard = 0x44
        case source = 0x53
    }

    let address: SocketAddress
    private let counters = Counters()
    private let listener: TCPListener

    init() throws(SocketFault) {
        let listener = try TCPListener(backlog: 4096)
        self.listener = listener
        address = listener.address
        let counters = counters
        _ = BackgroundThread {
            var loop = BackendLoop(listener: listener, counters: counters)
            loop.run()
        }
    }

    /// Totals over all connections.
    var received: Received {
        Received(
            discardedBytes: counters.discardedBytes.load(ordering: .relaxed),
            sourcedBytes: counters.sourcedBytes.load(ordering: .relaxed),
            echoedBytes: counters.echoedBytes.load(ordering: .relaxed),
            connections: counters.connections.load(ordering: .relaxed))
    }

    struct Received: Sendable {
        /// Bytes received by `discard`.
        var discardedBytes: Int
        /// Bytes sent by `source`.
        var sourcedBytes: Int
        /// Bytes echoed by `echo`.
        var echoedBytes: Int
        /// Connections whose first byte has arrived.
        var connections: Int
    }

    final class Counters: Sendable {
        let discardedBytes = Atomic(0)
        let sourcedBytes = Atomic(0)
        let echoedBytes = Atomic(0)
        let connections = Atomic(0)
    }
}

/// The backend's thread: serves all its connections from one loop.
private struct BackendLoop: ~Copyable {
    let listener: TCPListener
    let counters: Backend.Counters
    private var poller = Poller()
    private var clients: [Client?] = []
    private var free: [Int] = []
    private var buffer = [UInt8](repeating: 0x5a, count: Self.bufferBytes)

    private struct Client {
        let connection: TCPConnection
        var mode: Backend.Mode?
    }

    init(listener: TCPListener, counters: Backend.Counters) {
        self.listener = listener
        self.counters = counters
        poller.add(listener.number, .reading, key: Self.listenerKey)
    }

    mutating func run() {
        while true {
            for event in poller.wait(until: .within(.seconds(3_600))) {
                if event.key == Self.listenerKey {
                    acceptAll()
                } else if !serve(event.key) {
                    clients[event.key] = nil
                    free.append(event.key)
                }
            }
        }
    }

    private mutating func acceptAll() {
        while let connection = listener.acceptPending() {
            let client = Client(connection: connection, mode: nil)
            let slot: Int
            if let reused = free.popLast() {
                slot = reused
                clients[slot] = client
            } else {
                slot = clients.count
                clients.append(client)
            }
            poller.add(connection.number, .reading, key: slot)
        }
    }

    /// Runs the connection's mode; false once the connection has ended.
    private mutating func serve(_ slot: Int) -> Bool {
        guard let client = clients[slot] else { return true }
        if client.mode == .source { return fill(client.connection) }
        var count = client.connection.receiveSome(into: &buffer)
        guard count > 0 else { return count < 0 && errno == EAGAIN }
        var start = 0
        if client.mode == nil {
            guard let mode = Backend.Mode(rawValue: buffer[0]) else { return false }
            clients[slot]?.mode = mode
            counters.connections.wrappingAdd(1, ordering: .relaxed)
            if mode == .source { poller.change(client.connection.number, .writing, key: slot) }
            start = 1
            count -= 1
        }
        switch clients[slot]?.mode {
        case .echo:
            counters.echoedBytes.wrappingAdd(count, ordering: .relaxed)
            return count == 0 || sendBack(client.connection, start, count)
        case .discard:
            counters.discardedBytes.wrappingAdd(count, ordering: .relaxed)
            return true
        case .source, nil: return true
        }
    }

    private func fill(_ connection: TCPConnection) -> Bool {
        let sent = connection.sendSome(buffer, from: 0, count: buffer.count)
        guard sent >= 0 else { return errno == EAGAIN }
        counters.sourcedBytes.wrappingAdd(sent, ordering: .relaxed)
        return true
    }

    /// Clients send again only after the whole echo, so that it nearly always fits the socket buffer.
    private func sendBack(_ connection: TCPConnection, _ start: Int, _ count: Int) -> Bool {
        var sent = 0
        while sent < count {
            let more = connection.sendSome(buffer, from: start + sent, count: count - sent)
            if more > 0 { sent += more } else if errno != EAGAIN { return false }
        }
        return true
    }

    private static let listenerKey = 1 << 40
    private static let bufferBytes = 256 << 10
}

extension TCPConnection {
    /// One non-blocking `recv`: the count, 0 at the end, -1 with errno.
    func receiveSome(into buffer: inout [UInt8]) -> Int {
        let descriptor = number
        // The kernel writes at most `count` bytes into the array.
        return unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.recv(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// One non-blocking `send`: the count, or -1 with errno.
    func sendSome(_ buffer: [UInt8], from start: Int, count: Int) -> Int {
        let descriptor = number
        // The range lies inside the array, which outlives the call.
        return unsafe buffer.withUnsafeBytes {
            unsafe Glibc.send(descriptor, $0.baseAddress! + start, count, Int32(MSG_NOSIGNAL))
        }
    }
}
