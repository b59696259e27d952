/// Finds the server name in the first bytes of a TLS client (RFC 8446, 4.1.2; RFC 6066, section 3), which may come in
/// several records and in parts. It judges nothing: TLS does, where the ClientHello is for us.
enum ClientHello: Equatable {
    /// The ClientHello is not whole yet, and cannot be before there are so many bytes.
    case incomplete(bytesAtLeast: Int)
    /// A whole one, with the name that it asks for; nil: it asks for none.
    case whole(serverName: String?)
    /// This is no ClientHello, or one that cannot be read.
    case malformed

    /// - Parameter bytes: at most ``FirstFlight/helloBytesAtMost`` and their record headers.
    init(_ bytes: [UInt8]) {
        var message: [UInt8] = []
        var missing = 1
        var reader = ByteReader(bytes[...])
        while true {
            if message.count >= 4 {
                guard message[0] == Self.clientHello else {
                    self = .malformed
                    return
                }
                let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
                missing = max(1, 4 + length - message.count)
                if message.count >= 4 + length {
                    var body = ByteReader(message[4..<(4 + length)])
                    self = Self.serverName(&body).map { .whole(serverName: $0.name) } ?? .malformed
                    return
                }
            }
            guard let type = reader.number(bytes: 1) else { break }
            guard type == Self.handshakeRecord else {
                self = .malformed
                return
            }
            guard let version = reader.number(bytes: 2), let count = reader.number(bytes: 2) else { break }
            guard version >> 8 == 3, count > 0, count <= Self.recordBytesAtMost else {
                self = .malformed
                return
            }
            // A record in parts may hold enough of the message's header to tell what it is.
            message += reader.upTo(count)
        }
        let isHello = message.isEmpty || message[0] == Self.clientHello
        self = isHello ? .incomplete(bytesAtLeast: bytes.count + missing) : .malformed
    }

    private struct Name {
        let name: String?
    }

    /// Nil if the message cannot be read.
    private static func serverName(_ body: inout ByteReader) -> Name? {
        guard body.take(2 + 32) != nil, body.vector(lengthBytes: 1) != nil, body.vector(lengthBytes: 2) != nil,
            body.vector(lengthBytes: 1) != nil
        else { return nil }
        if body.isAtEnd { return Name(name: nil) }
        guard let all = body.vector(lengthBytes: 2), body.isAtEnd else { return nil }
        var extensions = ByteReader(all)
        while !extensions.isAtEnd {
            guard let type = extensions.number(bytes: 2), let content = extensions.vector(lengthBytes: 2) else {
                return nil
            }
            guard type == 0 else { continue }
            var reader = ByteReader(content)
            guard let list = reader.vector(lengthBytes: 2), reader.isAtEnd else { return nil }
            var names = ByteReader(list)
            // Only one kind of name was ever defined, and a list has one of each kind.
            guard names.number(bytes: 1) == 0, let name = names.vector(lengthBytes: 2), names.isAtEnd, !name.isEmpty,
                name.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else { return nil }
            return Name(name: String(decoding: name, as: UTF8.self))
        }
        return Name(name: nil)
    }

    private static let handshakeRecord = 22
    private static let clientHello: UInt8 = 1
    /// Of plaintext (RFC 8446, 5.1).
    private static let recordBytesAtMost = 1 << 14
}

/// Reads numbers and vectors in TLS's presentation language (RFC 8446, section 3).
private struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        rest.count >= count ? upTo(count) : nil
    }

    mutating func upTo(_ count: Int) -> ArraySlice<UInt8> {
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number(bytes count: Int) -> Int? {
        take(count)?.reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func vector(lengthBytes: Int) -> ArraySlice<UInt8>? {
        number(bytes: lengthBytes).flatMap { take($0) }
    }
}
