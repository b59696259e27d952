import HTTP
import System
import TLS

/// A client of the Kubernetes API, JSON over HTTP/1.1 and TLS. Blocks: call it on a thread that may wait. A connection
/// for each request, which is what a controller of few writes needs.
///
/// The server is known by its name or address and by the authorities of ``APIServer``; redirects are not followed.
public struct APIClient: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    /// How a patch is written.
    public enum PatchFormat: String, Sendable {
        /// RFC 7396. With `metadata.resourceVersion` in it, it applies to that version only.
        case merge = "application/merge-patch+json"
        /// RFC 6902.
        case json = "application/json-patch+json"
    }

    public let server: APIServer
    private let userAgent: String
    /// Of a whole request, other than a watch.
    private let patienceMilliseconds: Int64

    /// - Parameter userAgent: the program and its version, which the server's audit log shows.
    public init(_ server: APIServer, userAgent: String, patienceMilliseconds: Int = 30_000) {
        self.server = server
        self.userAgent = String(userAgent.unicodeScalars.filter { $0.isASCII && $0.value >= 0x20 && $0.value < 0x7F })
        self.patienceMilliseconds = Int64(patienceMilliseconds)
    }

    // MARK: Objects

    public func get<Object: Decodable>(_ path: ObjectPath, as type: Object.Type = Object.self) throws(APIFault)
        -> Object
    {
        try JSONText.decode(type, try request(.get, path.text))
    }

    /// Creates an object in the collection; 409 if it exists.
    @discardableResult
    public func create(_ object: JSONValue, in path: ObjectPath) throws(APIFault) -> JSONValue {
        try JSONValue(parsing: try request(.post, path.text, body: try JSONText.encode(object)))
    }

    /// Replaces an object whole; 409 if it is no longer the version that `metadata.resourceVersion` names.
    @discardableResult
    public func update(_ object: JSONValue, at path: ObjectPath) throws(APIFault) -> JSONValue {
        try JSONValue(parsing: try request(.put, path.text, body: try JSONText.encode(object)))
    }

    @discardableResult
    public func patch(
        _ path: ObjectPath, _ format: PatchFormat, _ patch: JSONValue
    ) throws(APIFault) -> JSONValue {
        try JSONValue(
            parsing: try request(
                .patch, path.text, contentType: format.rawValue, body: try JSONText.encode(patch)))
    }

    /// - Parameter resourceVersion: if given, only this version is deleted.
    public func delete(_ path: ObjectPath, resourceVersion: String? = nil) throws(APIFault) {
        var options: JSONValue = ["kind": "DeleteOptions", "apiVersion": "v1"]
        if let resourceVersion { options["preconditions"] = ["resourceVersion": .text(resourceVersion)] }
        _ = try request(.delete, path.text, body: try JSONText.encode(options))
    }

    // MARK: Collections

    public struct Page<Object: Decodable & Sendable>: Decodable, Sendable {
        public struct ListMetadata: Decodable, Sendable {
            public var resourceVersion: String?
            public var `continue`: String?
        }

        public var metadata: ListMetadata
        public var items: [Object]
    }

    /// One page of a collection; 410 if `continuing` is too old.
    public func page<Object: APIObject>(
        _ path: ObjectPath, limit: Int, continuing: String? = nil, labelSelector: String? = nil,
        fieldSelector: String? = nil, as type: Object.Type = Object.self
    ) throws(APIFault) -> Page<Object> {
        var query = [("limit", "\(limit)")]
        if let continuing { query.append(("continue", continuing)) }
        if let labelSelector { query.append(("labelSelector", labelSelector)) }
        if let fieldSelector { query.append(("fieldSelector", fieldSelector)) }
        return try JSONText.decode(Page<Object>.self, try request(.get, path.text, query: query))
    }

    /// The whole collection.
    public func list<Object: APIObject>(
        _ path: ObjectPath, labelSelector: String? = nil, as type: Object.Type = Object.self
    ) throws(APIFault) -> [Object] {
        var objects: [Object] = []
        var next: String?
        repeat {
            let page: Page<Object> = try page(
                path, limit: Self.pageLimit, continuing: next, labelSelector: labelSelector)
            objects += page.items
            next = page.metadata.continue.flatMap { $0.isEmpty ? nil : $0 }
        } while next != nil
        return objects
    }

    // MARK: Requests

    /// One request, and its answer's body.
    package func request(
        _ method: Method, _ path: String, query: [(String, String)] = [], contentType: String = "application/json",
        body: [UInt8] = []
    ) throws(APIFault) -> [UInt8] {
        let deadline = MonotonicClock.milliseconds() + patienceMilliseconds
        let request = try written(method, path, query: query, contentType: contentType, body: body)
        var collected: [UInt8] = []
        var isWhole = false
        try exchange(request, until: deadline, remainingMilliseconds: { Self.remaining(until: deadline) }) { bytes in
            guard collected.count + bytes.count <= Self.bodyBytesAtMost else { return .tooLarge }
            collected += bytes
            return .more
        } atEnd: {
            isWhole = true
        }
        guard isWhole else { throw .network("the API server's answer was cut") }
        return collected
    }

    enum Appetite {
        case more, enough, tooLarge
    }

    /// Sends a request; passes the body of an answer of status 200 to 299 on, and throws for any other.
    func exchange(
        _ request: [UInt8], until deadline: Int64, keepsAlive: Bool = false, remainingMilliseconds: () -> Int32,
        body receiveBody: ([UInt8]) throws(APIFault) -> Appetite, atEnd: () -> Void
    ) throws(APIFault) {
        let socket: OwnedDescriptor
        do throws(ConnectFault) {
            socket = try OwnedDescriptor.connected(to: server.host, port: server.port, until: deadline)
        } catch {
            throw .network("\(error)")
        }
        if keepsAlive { OwnedDescriptor.keepAlive(socket.number) }
        var answer = Answer()
        var fault: APIFault?
        do throws(WebClientFault) {
            try WebClient.exchange(
                socket.number, host: server.host, trust: .web(authorities: server.authorities), request: request,
                remainingMilliseconds: remainingMilliseconds
            ) { bytes in
                do throws(APIFault) {
                    return try answer.take(bytes, receiveBody, atEnd)
                } catch {
                    fault = error
                    return false
                }
            }
        } catch {
            if fault == nil, !answer.isOver {
                // What the server refuses it may cut.
                throw answer.refusal ?? .network("\(server.host):\(server.port): \(error)")
            }
        }
        if let fault { throw fault }
        guard answer.head != nil else { throw .network("the API server gave no answer") }
    }

    func written(
        _ method: Method, _ path: String, query: [(String, String)] = [], contentType: String = "application/json",
        body: [UInt8] = []
    ) throws(APIFault) -> [UInt8] {
        let parameters = query.map { "\($0.0)=\(ObjectPath.encoded($0.1))" }.joined(separator: "&")
        var lines = [
            "\(method.rawValue) \(path)\(query.isEmpty ? "" : "?\(parameters)") HTTP/1.1", "Host: \(server.authority)",
            "Accept: application/json", "User-Agent: \(userAgent)", "Connection: close",
        ]
        if method != .get { lines += ["Content-Type: \(contentType)", "Content-Length: \(body.count)"] }
        let authorization = try server.authorization()
        return Array((lines.joined(separator: "\r\n") + "\r\n").utf8) + authorization + [0x0D, 0x0A] + body
    }

    static func remaining(until deadline: Int64) -> Int32 {
        Int32(clamping: max(0, deadline - MonotonicClock.milliseconds()))
    }

    /// Objects of a page.
    static let pageLimit = 250
    private static let bodyBytesAtMost = 32 << 20
}

/// The answer to one request, as it comes.
private struct Answer {
    private(set) var head: HTTPResponseReader.Head?
    /// Whether all of it has come.
    private(set) var isOver = false
    private var reader = HTTPResponseReader()
    /// The body of an answer that is none of success.
    private var complaint: [UInt8] = []

    /// Whether more of the answer is wanted.
    mutating func take(
        _ bytes: [UInt8], _ receiveBody: ([UInt8]) throws(APIFault) -> APIClient.Appetite, _ atEnd: () -> Void
    ) throws(APIFault) -> Bool {
        for part in try parts(bytes) {
            switch part {
            case .head(let head): self.head = head
            case .body(let bytes):
                if isSuccess {
                    switch try receiveBody(bytes) {
                    case .more: continue
                    case .tooLarge: throw .tooLarge
                    case .enough:
                        isOver = true
                        return false
                    }
                }
                complaint += bytes
                if complaint.count > Self.complaintBytesAtMost, let refusal { throw refusal }
            case .end:
                isOver = true
                if let refusal { throw refusal }
                atEnd()
                return false
            }
        }
        return true
    }

    private var isSuccess: Bool { head.map { (200...299).contains($0.status) } ?? false }

    private mutating func parts(_ bytes: [UInt8]) throws(APIFault) -> [HTTPResponseReader.Part] {
        do throws(HTTPResponseReader.Flaw) {
            return try reader.take(bytes)
        } catch {
            if let refusal { throw refusal }
            switch error {
            case .truncated: throw .network("the API server closed before the end of its answer")
            case .malformed, .tooLarge: throw .malformed("the API server's answer: \(error)")
            }
        }
    }

    /// What the server says in its Status; nil for an answer of success, or before the head.
    var refusal: APIFault? {
        guard let head, !isSuccess else { return nil }
        let status = try? JSONText.decode(Status.self, complaint)
        return .refused(
            status: head.status, reason: status?.reason ?? "", message: status?.shownMessage ?? "",
            retryAfterSeconds: head.value(of: "retry-after").flatMap { Int($0) }.map { min(max($0, 0), 3_600) })
    }

    private static let complaintBytesAtMost = 64 * 1_024
}

/// `Status` of `meta/v1`, in which the server says why it refuses.
struct Status: Decodable {
    var status: String?
    var reason: String?
    var message: String?
    var code: Int?

    /// On one line and of bounded length, for logs and statuses.
    var shownMessage: String {
        let text = (message ?? "").unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        var shown = String.UnicodeScalarView()
        shown.append(contentsOf: text.prefix(1_000))
        return String(shown)
    }
}
