/// An incremental parser for the response to one GET (RFC 9112).
struct HTTPResponse {
    enum Flaw: Error, Hashable, CustomStringConvertible {
        case malformed, tooLarge, truncated
        case status(Int)
        /// A redirect; they are not followed.
        case redirected(Int)

        var description: String {
            switch self {
            case .malformed: "the response is not HTTP"
            case .tooLarge: "the response is too large"
            case .truncated: "the response was truncated"
            case .status(let status): "the server responded with status \(status)"
            case .redirected(let status): "the server redirects (status \(status)); name the final URL"
            }
        }
    }

    private enum Length {
        case bytes(Int)
        case chunked
        case untilEnd
    }

    private var bytes: [UInt8] = []
    private var head: (end: Int, length: Length)?
    /// Where the search for the end of the head resumes.
    private var searched = 0
    /// The bodies of the chunks before `chunkStart`.
    private var body: [UInt8] = []
    private var chunkStart = 0
    private let bodyBytesAtMost: Int

    init(bodyBytesAtMost: Int) { self.bodyBytesAtMost = bodyBytesAtMost }

    /// Feeds received bytes, or none at end of stream; returns the body once complete.
    mutating func take(_ more: [UInt8]) throws(Flaw) -> [UInt8]? {
        bytes += more
        guard bytes.count <= bodyBytesAtMost * 2 + Self.headBytesAtMost else { throw .tooLarge }
        if head == nil {
            head = try readHead()
            chunkStart = head?.end ?? 0
        }
        guard let head else {
            guard !more.isEmpty else { throw .truncated }
            return nil
        }
        let body = bytes[head.end...]
        switch head.length {
        case .bytes(let count):
            guard count <= bodyBytesAtMost else { throw .tooLarge }
            if body.count >= count { return Array(body.prefix(count)) }
        case .chunked:
            if try readChunks() { return self.body }
        case .untilEnd:
            guard body.count <= bodyBytesAtMost else { throw .tooLarge }
            if more.isEmpty { return Array(body) }
        }
        guard !more.isEmpty else { throw .truncated }
        return nil
    }

    // MARK: Private

    private mutating func readHead() throws(Flaw) -> (end: Int, length: Length)? {
        guard let end = Self.firstIndex(of: [13, 10, 13, 10], in: bytes[searched...]) else {
            searched = max(0, bytes.count - 3)
            guard bytes.count <= Self.headBytesAtMost else { throw .tooLarge }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else { throw .malformed }
        guard !(300..<400).contains(status) else { throw .redirected(status) }
        guard status == 200 else { throw .status(status) }
        var length = Length.untilEnd
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed }
            let value = line[line.index(after: colon)...].filter { $0 != " " && $0 != "\t" }.lowercased()
            switch line[..<colon].lowercased() {
            case "transfer-encoding":
                guard value == "chunked" else { throw .malformed }
                length = .chunked
            case "content-length":
                guard let count = Int(value), count >= 0 else { throw .malformed }
                if case .untilEnd = length { length = .bytes(count) }
            default: continue
            }
        }
        return (end + 4, length)
    }

    /// Consumes complete chunks; true after the last one. Each byte is scanned once.
    private mutating func readChunks() throws(Flaw) -> Bool {
        while true {
            guard let end = Self.firstIndex(of: [13, 10], in: bytes[chunkStart...].prefix(Self.sizeLineBytesAtMost))
            else {
                guard bytes.count - chunkStart < Self.sizeLineBytesAtMost else { throw .malformed }
                return false
            }
            let count = try Self.chunkBytes(bytes[chunkStart..<end].prefix { $0 != UInt8(ascii: ";") })
            guard count > 0 else { return true }
            // Checked before it is added: the server may send any number, and the sum could overflow.
            guard count <= bodyBytesAtMost - body.count else { throw .tooLarge }
            let start = end + 2
            guard start + count + 2 <= bytes.endIndex else { return false }
            body += bytes[start..<start + count]
            guard bytes[start + count] == 13, bytes[start + count + 1] == 10 else { throw .malformed }
            chunkStart = start + count + 2
        }
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
}
