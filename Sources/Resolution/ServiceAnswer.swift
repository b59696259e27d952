/// The SRV records of a DNS response (RFC 1035 4.1, RFC 2782).
///
/// The response comes from the network: every length and every jump is checked, and a malformed one is an error as a
/// whole.
public struct ServiceAnswer: Hashable, Sendable {
    public struct Record: Hashable, Sendable {
        public let priority: UInt16
        public let weight: UInt16
        public let port: UInt16
        /// Without a final dot; empty for `.`, which says that there is no such service.
        public let target: String
    }

    /// At most ``recordsAtMost``.
    public private(set) var records: [Record] = []
    /// The shortest of the records, in seconds.
    public private(set) var ttlSeconds = Int(Int32.max)

    public init(parsing message: [UInt8]) throws(DNSFlaw) {
        var reader = MessageReader(message)
        _ = try reader.bytes(4)
        let questions = try reader.number()
        let answers = try reader.number()
        _ = try reader.bytes(4)
        for _ in 0..<questions {
            _ = try reader.name()
            _ = try reader.bytes(4)
        }
        for _ in 0..<answers where records.count < Self.recordsAtMost {
            _ = try reader.name()
            let type = try reader.number()
            let dnsClass = try reader.number()
            let ttl = Int(try reader.number()) << 16 | Int(try reader.number())
            let length = Int(try reader.number())
            let end = reader.position + length
            guard end <= message.count else { throw .truncated }
            if type == Self.typeSRV, dnsClass == Self.classIN {
                let (priority, weight, port) = (try reader.number(), try reader.number(), try reader.number())
                let target = try reader.name()
                guard reader.position == end else { throw .malformed }
                records.append(Record(priority: priority, weight: weight, port: port, target: target))
            }
            // Those of a CNAME before it count as well. The highest bit means zero (RFC 2181 8).
            ttlSeconds = min(ttlSeconds, ttl > Int(Int32.max) ? 0 : ttl)
            reader.position = end
        }
    }

    public static let recordsAtMost = 64
    private static let typeSRV: UInt16 = 33
    private static let classIN: UInt16 = 1
}

/// Why a DNS response cannot be read.
public enum DNSFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case truncated, malformed

    public var description: String {
        switch self {
        case .truncated: "the DNS response is cut short"
        case .malformed: "the DNS response is malformed"
        }
    }
}

private struct MessageReader {
    private let message: [UInt8]
    var position = 0

    init(_ message: [UInt8]) { self.message = message }

    mutating func bytes(_ count: Int) throws(DNSFlaw) -> ArraySlice<UInt8> {
        guard message.count - position >= count else { throw .truncated }
        defer { position += count }
        return message[position..<position + count]
    }

    mutating func number() throws(DNSFlaw) -> UInt16 {
        try bytes(2).reduce(0) { $0 << 8 | UInt16($1) }
    }

    /// A name, its labels joined by dots. A compressed one continues at an earlier place (RFC 1035 4.1.4), so that it
    /// ends.
    mutating func name() throws(DNSFlaw) -> String {
        var labels: [String] = []
        var length = 0
        var place = position
        var afterFirstJump: Int?
        while true {
            guard place < message.count else { throw .truncated }
            let octet = Int(message[place])
            switch octet >> 6 {
            case 0:
                guard octet > 0 else {
                    position = afterFirstJump ?? place + 1
                    return labels.joined(separator: ".")
                }
                guard message.count - place > octet else { throw .truncated }
                length += octet + 1
                guard length <= 254 else { throw .malformed }
                labels.append(String(decoding: message[place + 1...place + octet], as: UTF8.self))
                place += octet + 1
            case 3:
                guard place + 1 < message.count else { throw .truncated }
                let target = (octet & 0x3F) << 8 | Int(message[place + 1])
                guard target < place else { throw .malformed }
                if afterFirstJump == nil { afterFirstJump = place + 2 }
                place = target
            default: throw .malformed
            }
        }
    }
}
