import System

/// What a watch tells of a collection.
public enum WatchEvent<Object: APIObject>: Sendable {
    case added(Object)
    case modified(Object)
    case deleted(Object)
    /// Nothing has changed up to this version.
    case bookmark(resourceVersion: String)
    /// The watch has failed; 410 where it must begin from a new list.
    case failed(APIFault)
}

extension APIClient {
    /// Watches a collection from a version on, until the server ends the watch, which it does after `seconds`, or until
    /// `receive` has enough. Blocks.
    public func watch<Object: APIObject>(
        _ path: ObjectPath, from resourceVersion: String, seconds: Int, labelSelector: String? = nil,
        fieldSelector: String? = nil, as type: Object.Type = Object.self, receive: (WatchEvent<Object>) -> Bool
    ) throws(APIFault) {
        var query = [
            ("watch", "1"), ("allowWatchBookmarks", "true"), ("resourceVersion", resourceVersion),
            ("timeoutSeconds", "\(seconds)"),
        ]
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        let request = try written(.get, path.text, query: query)
        let now = MonotonicClock.milliseconds()
        // The server ends the watch; a server that does not is left.
        let deadline = now + (Int64(seconds) + Self.overtimeSeconds) * 1_000
        var lines = LineReader(bytesAtMost: Self.lineBytesAtMost)
        try exchange(
            request, until: now + Self.connectMilliseconds, keepsAlive: true,
            remainingMilliseconds: { Self.remaining(until: deadline) }
        ) { (bytes) throws(APIFault) in
            for line in try lines.take(bytes) {
                guard receive(try JSONText.decode(WatchLine<Object>.self, line).event) else { return .enough }
            }
            return .more
        } atEnd: {
        }
    }

    private static let overtimeSeconds: Int64 = 15
    private static let connectMilliseconds: Int64 = 30_000
    /// An object has at most 1.5 MiB in etcd's default configuration, and a little more as JSON.
    private static let lineBytesAtMost = 8 << 20
}

/// Splits a stream into lines, without their ends; empty ones are left out.
struct LineReader {
    private var line: [UInt8] = []
    private let bytesAtMost: Int

    init(bytesAtMost: Int) { self.bytesAtMost = bytesAtMost }

    mutating func take(_ bytes: [UInt8]) throws(APIFault) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for piece in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if piece.offset > 0 {
                if !line.isEmpty { lines.append(line) }
                line = []
            }
            line += piece.element
            guard line.count <= bytesAtMost else { throw .malformed("a line of a watch is too long") }
        }
        return lines
    }
}

/// One line of a watch.
private struct WatchLine<Object: APIObject>: Decodable {
    let event: WatchEvent<Object>

    private enum CodingKeys: CodingKey {
        case type, object
    }

    private struct Bookmark: Decodable {
        let metadata: ObjectMetadata
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let type = try container.decode(String.self, forKey: .type)
        switch type {
        case "ADDED": event = .added(try container.decode(Object.self, forKey: .object))
        case "MODIFIED": event = .modified(try container.decode(Object.self, forKey: .object))
        case "DELETED": event = .deleted(try container.decode(Object.self, forKey: .object))
        case "BOOKMARK":
            let version = try container.decode(Bookmark.self, forKey: .object).metadata.resourceVersion
            event = .bookmark(resourceVersion: version ?? "")
        case "ERROR":
            let status = try container.decode(Status.self, forKey: .object)
            event = .failed(
                .refused(
                    status: status.code ?? 500, reason: status.reason ?? "", message: status.shownMessage,
                    retryAfterSeconds: nil))
        default: event = .bookmark(resourceVersion: "")
        }
    }
}
