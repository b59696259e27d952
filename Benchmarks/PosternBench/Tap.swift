import Loopback
import PosternTesting

/// Relays connections and reads the negotiated parameters from the ServerHello, which is never encrypted.
final class Tap: Sendable {
    let address: SocketAddress
    private let listener: TCPListener
    private let hellos = Monitor<[ServerHello]>([])

    init(to target: SocketAddress) throws(SocketFault) {
        let listener = try TCPListener()
        let hellos = hellos
        self.listener = listener
        address = listener.address
        _ = BackgroundThread {
            while let client = try? listener.accept(within: .seconds(86_400)) {
                guard let server = try? TCPConnection.connect(to: target) else { continue }
                _ = BackgroundThread { Self.copy(client, server) { _ in } }
                _ = BackgroundThread {
                    var seen: [UInt8] = []
                    var isKnown = false
                    Self.copy(server, client) { bytes in
                        guard !isKnown else { return }
                        seen += bytes
                        guard let hello = ServerHello(record: seen) else { return }
                        isKnown = true
                        hellos.update { $0.append(hello) }
                    }
                }
            }
        }
    }

    deinit { listener.stop() }

    /// One per connection that received a ServerHello.
    var serverHellos: [ServerHello] { hellos.read { $0 } }

    private static func copy(_ from: TCPConnection, _ to: TCPConnection, _ look: ([UInt8]) -> Void) {
        while let bytes = try? from.receive(within: .seconds(86_400)), !bytes.isEmpty {
            look(bytes)
            guard (try? to.send(bytes)) != nil else { break }
        }
        to.finishSending()
    }
}

/// The parameters chosen by a server (RFC 8446, 4.1.3).
struct ServerHello: Hashable, Sendable, CustomStringConvertible {
    var version: UInt16 = 0x0304
    var cipherSuite: UInt16 = 0x1301
    var group: UInt16 = 0x001d
    var resumed: Bool

    /// The parameters required of all pairs: TLS 1.3, AES-128-GCM, X25519.
    init(resumed: Bool) { self.resumed = resumed }

    /// Parses the first record of a server; nil unless it is a complete ServerHello.
    init?(record: [UInt8]) {
        var reader = Reader(bytes: record[...])
        guard reader.take(1) == [22], reader.take(4) != nil, reader.take(1) == [2], reader.take(3) != nil,
            reader.take(2 + 32) != nil, let sessionLength = reader.number(1), reader.take(sessionLength) != nil,
            let suite = reader.number(2), reader.take(1) != nil, let extensionsLength = reader.number(2),
            let extensions = reader.take(extensionsLength)
        else { return nil }
        version = 0
        cipherSuite = UInt16(suite)
        group = 0
        resumed = false
        var inner = Reader(bytes: extensions)
        while let type = inner.number(2), let length = inner.number(2), let body = inner.take(length) {
            var value = Reader(bytes: body)
            switch type {
            case 41: resumed = true
            case 43: version = UInt16(value.number(2) ?? 0)
            case 51: group = UInt16(value.number(2) ?? 0)
            default: break
            }
        }
    }

    var description: String {
        let hex = { (number: UInt16) in "0x" + String(number, radix: 16) }
        return "version \(hex(version)), suite \(hex(cipherSuite)), group \(hex(group)), resumed \(resumed)"
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard bytes.count >= count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }

        mutating func number(_ count: Int) -> Int? { take(count)?.reduce(0) { $0 << 8 | Int($1) } }
    }
}
