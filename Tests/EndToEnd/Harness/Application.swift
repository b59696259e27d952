import Loopback
import PosternTesting
import Synchronization

/// The plaintext application behind a proxy: one thread a connection, doing what its behaviour says.
final class Application: Sendable {
    /// What is done with each connection, in a thread of its own.
    struct Behaviour: Sendable {
        let serve: @Sendable (TCPConnection) throws -> Void
    }

    let address: SocketAddress
    private let listener: TCPListener
    private let accepted: Monitor<Int>

    init(_ behaviour: Behaviour, receiveBufferBytes: Int32? = nil, bind: SocketAddress = SocketAddress(port: 0)) throws
    {
        let listener = try TCPListener(bind, receiveBufferBytes: receiveBufferBytes)
        let accepted = Monitor(0)
        self.listener = listener
        self.accepted = accepted
        address = listener.address
        _ = BackgroundThread {
            while let connection = try? listener.accept(within: .seconds(600)) {
                accepted.update { $0 += 1 }
                _ = BackgroundThread {
                    // A connection that breaks is the proxy's business, and the test's.
                    try? behaviour.serve(connection)
                }
            }
        }
    }

    deinit { listener.stop() }

    /// How many connections have come: 0 means that no proxy has dialled.
    var acceptedCount: Int { accepted.read { $0 } }

    /// Waits for that many connections.
    func awaitAccepted(_ count: Int, within limit: Duration = .seconds(10)) -> Bool {
        accepted.wait(within: limit) { $0 >= count ? true : nil } ?? false
    }
}

extension Application.Behaviour {
    /// Sends back what comes; then ends when the peer has.
    static let echo = Self { connection in
        while true {
            let bytes = try connection.receive(within: .seconds(60))
            if bytes.isEmpty { return connection.finishSending() }
            try connection.send(bytes)
        }
    }

    /// Takes everything in, and answers only once the peer has finished sending.
    static func answersAtEnd(_ answer: @escaping @Sendable ([UInt8]) -> [UInt8]) -> Self {
        Self { connection in
            let question = try connection.receiveToEnd(within: .seconds(60))
            try connection.send(answer(question), within: .seconds(60))
            connection.finishSending()
        }
    }

    /// Sends a greeting unasked, then echoes.
    static func greets(_ greeting: String) -> Self {
        Self { connection in
            try connection.send(greeting.utf8)
            try echo.serve(connection)
        }
    }

    /// Resets the connection as soon as the first bytes have come.
    static let resets = Self { connection in
        _ = try connection.receive()
        connection.reset()
    }

    /// Neither reads nor writes nor ends.
    static let hangs = Self { connection in
        _ = connection.awaitHangUp(within: .seconds(60))
    }

    /// A web server with one page.
    static func web(_ body: String) -> Self {
        Self { connection in
            var request: [UInt8] = []
            while !String(decoding: request, as: UTF8.self).contains("\r\n\r\n") {
                let more = try connection.receive()
                guard !more.isEmpty else { return }
                request += more
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            try connection.send((head + body).utf8)
            connection.finishSending()
            _ = connection.awaitEnd()
        }
    }
}
