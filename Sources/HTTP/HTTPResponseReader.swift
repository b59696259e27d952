/// An incremental reader of the response to one request (RFC 9112). Keeps the head, and of the body only a chunk's
/// unfinished line: whoever collects a body limits it.
public struct HTTPResponseReader {
    public enum Flaw: Error, Hashable, Sendable, CustomStringConvertible {
        case malformed, tooLarge, truncated

        public var description: String {
            switch self {
            case .malformed: "the response is not HTTP"
            case .tooLarge: "the response is too large"
            case .truncated: "the response was truncated"
            }
        }
    }

    public struct Head: Hashable, Sendable {
        public let status: Int
        /// In bytes, where the server declares it.
        public let contentLength: Int?
        /// Names in lower case.
        let fields: [(name: String, value: String)]

        /// The first field of that name, which is in lower case.
        public func value(of name: String) -> String? { fields.first { $0.name == name }?.value }

        public static func == (left: Head, right: Head) -> Bool {
            left.status == right.status && left.fields.elementsEqual(right.fields, by: ==)
        }

        public func hash(into hasher: inout Hasher) { hasher.combine(status) }
    }

    public enum Part: Hashable, Sendable {
        case head(Head)
        /// Some of the body.
        case body([UInt8])
        /// The body is complete; what follows on the connection is ignored.
        case end
    }

    private enum State {
        case head, sizeLine, untilEnd, ended
        case bytes(left: Int)
        /// With the line end that follows it.
        case chunk(left: Int)
    }

    private var state = State.head
    private var bytes: [UInt8] = []
    /// Where the search for the end of the head resumes.
    private var searched = 0
    private var interim = 0

    public init() {}

    /// Feeds received bytes, or none at the end of the stream; returns the parts that they complete.
    public mutating func take(_ more: [UInt8]) throws(Flaw) -> [Part] {
        bytes += more
        var parts: [Part] = []
        var start = 0
        reading: while true {
            switch state {
            case .ended:
                bytes = []
                return parts
            case .head:
                guard let (head, end, next) = try readHead() else { break reading }
                start = end
                // An interim response (RFC 9110 15.2): the final one follows.
                if (100...199).contains(head.status) {
                    interim += 1
                    guard head.status != 101, interim <= Self.interimAtMost else { throw .malformed }
                    bytes.removeFirst(end)
                    (start, searched) = (0, 0)
                } else {
                    parts.append(.head(head))
                    state = next
                }
            case .untilEnd:
                if start < bytes.count { parts.append(.body(Array(bytes[start...]))) }
                start = bytes.count
                guard more.isEmpty else { break reading }
                state = .ended
                parts.append(.end)
            case .bytes(let left):
                let count = min(left, bytes.count - start)
                if count > 0 { parts.append(.body(Array(bytes[start..<start + count]))) }
                start += count
                state = .bytes(left: left - count)
                guard count == left else { break reading }
                state = .ended
                parts.append(.end)
            case .sizeLine:
                guard let end = Self.firstIndex(of: [13, 10], in: bytes[start...].prefix(Self.sizeLineBytesAtMost))
                else {
                    guard bytes.count - start < Self.sizeLineBytesAtMost else { throw .malformed }
                    break reading
                }
                let count = try Self.chunkBytes(bytes[start..<end].prefix { $0 != UInt8(ascii: ";") })
                start = end + 2
                state = count == 0 ? .ended : .chunk(left: count)
                if count == 0 { parts.append(.end) }
            case .chunk(let left):
                let count = min(left, bytes.count - start)
                if count > 0 { parts.append(.body(Array(bytes[start..<start + count]))) }
                start += count
                state = .chunk(left: left - count)
                guard count == left, bytes.count - start >= 2 else { break reading }
                guard bytes[start] == 13, bytes[start + 1] == 10 else { throw .malformed }
                start += 2
                state = .sizeLine
            }
        }
        bytes.removeFirst(start)
        guard !more.isEmpty else { throw .truncated }
        return parts
    }

    // MARK: Private

    /// The head, the index behind it, and what follows.
    private mutating func readHead() throws(Flaw) -> (Head, Int, State)? {
        guard let end = Self.firstIndex(of: [13, 10, 13, 10], in: bytes[searched...]) else {
            searched = max(0, bytes.count - 3)
            guard bytes.count <= Self.headBytesAtMost else { throw .tooLarge }
            return nil
        }
        guard end <= Self.headBytesAtMost else { throw .tooLarge }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
            (100...599).contains(status)
        else { throw .malformed }
        var fields: [(name: String, value: String)] = []
        var length: Int?
        var isChunked = false
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed }
            let name = line[..<colon].lowercased()
            var value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            fields.append((name, String(value)))
            switch name {
            case "transfer-encoding":
                guard value.lowercased() == "chunked" else { throw .malformed }
                isChunked = true
            case "content-length":
                guard let count = Int(value), count >= 0, length == nil || length == count else { throw .malformed }
                length = count
            default: continue
            }
        }
        let state: State =
            if (100...199).contains(status) {
                .head
            } else if status == 204 || status == 304 {
                .bytes(left: 0)
            } else if isChunked {
                .sizeLine
            } else {
                length.map { .bytes(left: $0) } ?? .untilEnd
            }
        return (Head(status: status, contentLength: isChunked ? nil : length, fields: fields), end + 4, state)
    }

    private static func chunkBytes(_ digits: some Collection<UInt8>) throws(Flaw) -> Int {
        guard !digits.isEmpty else { throw .malformed }
        var count = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = digit - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = digit - UInt8(ascii: "A") + 10
            default: throw .malformed
            }
            guard count <= Int(Int32.max) else { throw .tooLarge }
            count = count * 16 + Int(value)
        }
        return count
    }

    private static func firstIndex(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - pattern.count).first { bytes[$0...].starts(with: pattern) }
    }

    private static let sizeLineBytesAtMost = 256
    private static let headBytesAtMost = 16 * 1_024
    private static let interimAtMost = 8
}
