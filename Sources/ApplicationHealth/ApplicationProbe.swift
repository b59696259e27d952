/// What kubelet would ask an application, and the proxy asks in its stead: on loopback, in plaintext or with TLS that
/// proves nothing.
public struct ApplicationProbe: Hashable, Sendable {
    public enum Request: Hashable, Sendable {
        case http(HTTPProbe)
        /// A connection is enough.
        case tcp
        /// grpc.health.v1; an empty service is the server as a whole.
        case grpc(service: String)
    }

    public let request: Request
    public let port: UInt16
    /// For everything, the connection and redirects included.
    public let timeoutMilliseconds: Int
}

/// A GET request.
public struct HTTPProbe: Hashable, Sendable {
    public let isSecure: Bool
    /// With its query, in visible ASCII.
    public let target: String
    /// Checked: no name or value can end its line.
    public let headers: [Header]

    public struct Header: Hashable, Sendable {
        public let name: String
        public let value: String
    }

    /// The name that the application is asked under; nil: that of the address.
    public var host: String? { headers.last { $0.name.lowercased() == "host" }?.value }

    /// The bytes of a request.
    ///
    /// - Parameters:
    ///   - host: the value of `Host`.
    ///   - userAgent: unless a header names another.
    public func request(target: String, host: String, userAgent: String) -> [UInt8] {
        var lines = ["GET \(target) HTTP/1.1", "Host: \(host)"]
        let names = Set(headers.map { $0.name.lowercased() })
        if !names.contains("user-agent") { lines.append("User-Agent: \(userAgent)") }
        if !names.contains("accept") { lines.append("Accept: */*") }
        for header in headers where !["host", "connection"].contains(header.name.lowercased()) {
            lines.append("\(header.name): \(header.value)")
        }
        lines += ["Connection: close", "", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}
