/// The head of an HTTP/1 response, as it comes: all that a probe looks at.
public struct HTTPHead {
    public struct Response: Hashable, Sendable {
        public let status: Int
        /// The first one.
        public let location: String?
    }

    public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        case notHTTP, tooLarge, endedEarly, tooManyInterim

        public var description: String {
            switch self {
            case .notHTTP: "it answers with something else than HTTP"
            case .tooLarge: "the head of its answer is larger than \(HTTPHead.bytesAtMost) bytes"
            case .tooManyInterim: "it sends more than \(HTTPHead.interimAtMost) interim responses"
            case .endedEarly: "it closed the connection before it had answered"
            }
        }
    }

    private var bytes: [UInt8] = []
    private var interim = 0

    public init() {}

    /// Adds received bytes, none at the end of the stream; returns the response once its head is complete.
    public mutating func take(_ more: some Collection<UInt8>) throws(Flaw) -> Response? {
        bytes += more
        while let end = Self.end(of: bytes) {
            let response = try Self.response(bytes[..<end])
            // An interim response (RFC 9110 15.2): the final one follows.
            guard (100...199).contains(response.status), response.status != 101 else { return response }
            bytes.removeFirst(end)
            interim += 1
            guard interim <= Self.interimAtMost else { throw .tooManyInterim }
        }
        guard bytes.count <= Self.bytesAtMost else { throw .tooLarge }
        guard bytes.isEmpty || Self.prefix.starts(with: bytes.prefix(Self.prefix.count)) else { throw .notHTTP }
        guard !more.isEmpty else { throw .endedEarly }
        return nil
    }

    /// The index behind the empty line.
    private static func end(of bytes: [UInt8]) -> Int? {
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x0A else {
                index += 1
                continue
            }
            if index + 1 < bytes.count, bytes[index + 1] == 0x0A { return index + 2 }
            if index + 2 < bytes.count, bytes[index + 1] == 0x0D, bytes[index + 2] == 0x0A { return index + 3 }
            index += 1
        }
        return nil
    }

    private static func response(_ head: ArraySlice<UInt8>) throws(Flaw) -> Response {
        guard head.count <= bytesAtMost else { throw .tooLarge }
        let lines = head.split(separator: 0x0A).map { line in line.last == 0x0D ? line.dropLast() : line }
        guard let first = lines.first else { throw .notHTTP }
        let words = first.split(separator: 0x20, maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3, let status = Int(words[1]),
            (100...599).contains(status)
        else { throw .notHTTP }
        var location: String?
        for line in lines.dropFirst() where location == nil {
            guard let colon = line.firstIndex(of: 0x3A),
                String(decoding: line[..<colon], as: UTF8.self).lowercased() == "location"
            else { continue }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            location = String(decoding: value, as: UTF8.self)
            while location?.last == " " || location?.last == "\t" { location?.removeLast() }
        }
        return Response(status: status, location: location)
    }

    private static let prefix = Array("HTTP/1.".utf8)
    static let bytesAtMost = 16 * 1_024
    static let interimAtMost = 8
}
