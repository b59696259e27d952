import Loopback
import PosternTesting

/// A relay in the path of a TLS handshake that lets through what its manner says. It understands nothing of TLS.
final class Relay: Sendable {
    enum Manner: Hashable, Sendable {
        case plain
        /// One byte a packet, in both directions.
        case byteByByte
        /// Only so many bytes of the client; then FIN.
        case finAfter(Int)
        /// Only so many bytes of the client; then RST.
        case resetAfter(Int)
    }

    /// What became of one relayed connection.
    struct Passage: Sendable {
        var bytesFromClient: Int
        /// How the server ended it.
        var end: ConnectionEnd
    }

    let address: SocketAddress
    private let listener: TCPListener
    private let manner: Monitor<Manner>
    private let passages = Monitor<[Passage]>([])
    /// How many bytes of clients may still pass; what is held back stays with the relay.
    private let allowance = Monitor(Int.max)

    /// - Parameter prologue: what the server is sent before the client's first byte.
    init(to server: SocketAddress, _ manner: Manner, prologue: String = "") throws {
        let listener = try TCPListener()
        let manner = Monitor(manner)
        let passages = passages
        let allowance = allowance
        self.listener = listener
        self.manner = manner
        address = listener.address
        _ = BackgroundThread {
            while let client = try? listener.accept(within: .seconds(600)) {
                let manner = manner.read { $0 }
                _ = BackgroundThread {
                    let passage = Self.relay(client, to: server, prologue, manner, allowance)
                    passages.update { $0.append(passage) }
                }
            }
        }
    }

    deinit { listener.stop() }

    /// How connections from now on are treated.
    func set(_ next: Manner) { manner.update { $0 = next } }

    /// Lets so many more bytes of clients pass, and nothing after them, not even an end.
    func hold(after bytes: Int) { allowance.update { $0 = bytes } }

    /// Waits for the end of the connection with that number, counted from 0.
    func passage(_ number: Int, within limit: Duration = .seconds(10)) -> Passage? {
        passages.wait(within: limit) { $0.count > number ? $0[number] : nil }
    }

    private static func relay(
        _ client: TCPConnection, to address: SocketAddress, _ prologue: String, _ manner: Manner,
        _ allowance: Monitor<Int>
    ) -> Passage {
        guard let server = try? TCPConnection.connect(to: address),
            (try? send(Array(prologue.utf8), to: server, manner)) != nil
        else {
            return Passage(bytesFromClient: 0, end: .reset)
        }
        let count = Monitor(0)
        let upward = BackgroundThread {
            count.update { $0 = forward(from: client, to: server, manner, allowance) }
        }
        var end = ConnectionEnd.finished
        do throws(SocketFault) {
            while true {
                let bytes = try server.receive(within: .seconds(30))
                if bytes.isEmpty { break }
                // A client that is gone already does not matter: what the server does is what is watched.
                try? send(bytes, to: client, manner)
            }
        } catch {
            end = error == .reset ? .reset : .stillOpen
        }
        client.finishSending()
        if manner != .plain, manner != .byteByByte { client.shutDown() }
        upward.join()
        return Passage(bytesFromClient: count.read { $0 }, end: end)
    }

    /// Copies until the client ends or the manner says enough, and returns how many bytes went through.
    private static func forward(
        from client: TCPConnection, to server: TCPConnection, _ manner: Manner, _ allowance: Monitor<Int>
    ) -> Int {
        var forwarded = 0
        var left =
            switch manner {
            case .finAfter(let limit), .resetAfter(let limit): limit
            case .plain, .byteByByte: Int.max
            }
        while left > 0, let bytes = try? client.receive(atMost: min(left, 65_536), within: .seconds(30)),
            !bytes.isEmpty
        {
            let passing = min(allowance.read { $0 }, bytes.count)
            allowance.update { $0 -= $0 == .max ? 0 : passing }
            if passing > 0 {
                guard (try? send(Array(bytes[..<passing]), to: server, manner)) != nil else { break }
            }
            forwarded += passing
            left -= passing
            guard passing == bytes.count else {
                // Nothing more, until the server has had enough.
                _ = server.awaitEnd(within: .seconds(30))
                return forwarded
            }
        }
        if case .resetAfter = manner { server.reset() } else { server.finishSending() }
        return forwarded
    }

    private static func send(_ bytes: [UInt8], to connection: TCPConnection, _ manner: Manner) throws {
        guard manner == .byteByByte else { return try connection.send(bytes) }
        for byte in bytes { try connection.send(CollectionOfOne(byte)) }
    }
}
