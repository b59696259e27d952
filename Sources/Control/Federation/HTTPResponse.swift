/// The answer to one GET (RFC 9112), read from bytes as they come.
struct HTTPResponse {
    enum Flaw: Error, Hashable, CustomStringConvertible {
        case malformed, tooLarge, truncated
        case status(Int)
        /// The answer lies elsewhere, and nobody follows.
        case redirected(Int)

        var description: String {
            switch self {
            case .malformed: "the answer is not HTTP"
            case .tooLarge: "the answer is too large"
            case .truncated: "the answer was cut short"
            case .status(let status): "the server answered with status \(status)"
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
    private let bodyBytesAtMost: Int

    init(bodyBytesAtMost: Int) { self.bodyBytesAtMost = bodyBytesAtMost }

    /// Takes more bytes, none at the server's end; returns the body once it is whole.
    mutating func take(_ more: [UInt8]) throws(Flaw) -> [UInt8]? {
        bytes += more
        guard bytes.count <= bodyBytesAtMost * 2 + Self.headBytesAtMost else { throw .tooLarge }
        if head == nil { head = try readHead() }
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
            if let whole = try unchunked(body) { return whole }
        case .untilEnd:
            guard body.count <= bodyBytesAtMost else { throw .tooLarge }
            if more.isEmpty { return Array(body) }
        }
        guard !more.isEmpty else { throw .truncated }
        return nil
    }

    // MARK: Private

    private func readHead() throws(Flaw) -> (end: Int, length: Length)? {
        guard let end = Self.firstIndex(of: [13, 10, 13, 10], in: bytes[...]) else {
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

    /// The body of all chunks, once the last one is there.
    private func unchunked(_ bytes: ArraySlice<UInt8>) throws(Flaw) -> [UInt8]? {
        var body: [UInt8] = []
        var rest = bytes
        while true {
            guard let end = Self.firstIndex(of: [13, 10], in: rest) else { return nil }
            let size = String(decoding: rest[rest.startIndex..<end].prefix { $0 != UInt8(ascii: ";") }, as: UTF8.self)
            guard let count = Int(size, radix: 16), count >= 0 else { throw .malformed }
            guard count > 0 else { return body }
            guard body.count + count <= bodyBytesAtMost else { throw .tooLarge }
            let start = end + 2
            guard start + count + 2 <= rest.endIndex else { return nil }
            body += rest[start..<start + count]
            guard rest[start + count] == 13, rest[start + count + 1] == 10 else { throw .malformed }
            rest = rest[(start + count + 2)...]
        }
    }

    private static func firstIndex(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= pattern.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - pattern.count).first { bytes[$0...].starts(with: pattern) }
    }

    private static let headBytesAtMost = 16 * 1_024
}
