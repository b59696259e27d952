import HTTP

/// Collects the body of the response to one GET, which must have status 200.
struct HTTPResponse {
    enum Flaw: Error, Hashable, CustomStringConvertible {
        case malformed, tooLarge, truncated
        case status(Int)
        /// A redirect; they are not followed.
        case redirected(Int)

        var description: String {
            switch self {
            case .malformed: "\(HTTPResponseReader.Flaw.malformed)"
            case .tooLarge: "\(HTTPResponseReader.Flaw.tooLarge)"
            case .truncated: "\(HTTPResponseReader.Flaw.truncated)"
            case .status(let status): "the server responded with status \(status)"
            case .redirected(let status): "the server redirects (status \(status)); name the final URL"
            }
        }
    }

    private var reader = HTTPResponseReader()
    private var body: [UInt8] = []
    /// Chunks of a byte each would make a small body long.
    private var receivedBytes = 0
    private let bodyBytesAtMost: Int

    init(bodyBytesAtMost: Int) { self.bodyBytesAtMost = bodyBytesAtMost }

    /// Feeds received bytes, or none at end of stream; returns the body once complete.
    mutating func take(_ more: [UInt8]) throws(Flaw) -> [UInt8]? {
        receivedBytes += more.count
        guard receivedBytes <= bodyBytesAtMost * 2 + Self.headBytesAtMost else { throw .tooLarge }
        for part in try parts(more) {
            switch part {
            case .head(let head):
                guard !(300..<400).contains(head.status) else { throw .redirected(head.status) }
                guard head.status == 200 else { throw .status(head.status) }
                guard head.contentLength ?? 0 <= bodyBytesAtMost else { throw .tooLarge }
            case .body(let bytes):
                guard body.count + bytes.count <= bodyBytesAtMost else { throw .tooLarge }
                body += bytes
            case .end: return body
            }
        }
        return nil
    }

    private mutating func parts(_ more: [UInt8]) throws(Flaw) -> [HTTPResponseReader.Part] {
        do throws(HTTPResponseReader.Flaw) {
            return try reader.take(more)
        } catch {
            switch error {
            case .malformed: throw .malformed
            case .tooLarge: throw .tooLarge
            case .truncated: throw .truncated
            }
        }
    }

    private static let headBytesAtMost = 16 * 1_024
}
