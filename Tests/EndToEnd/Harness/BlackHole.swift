import Loopback

/// A listener with a full backlog: what else wants to connect is dropped.
final class BlackHole {
    private let listener: TCPListener
    private let waiting: [TCPConnection]

    init(_ host: SocketAddress.Host = .v6, port: UInt16) throws {
        let listener = try TCPListener(SocketAddress(host, port: port), backlog: 0)
        self.listener = listener
        waiting = try (0..<4).map { _ in try TCPConnection.beginConnecting(to: listener.address) }
    }

    var address: SocketAddress { listener.address }
}
