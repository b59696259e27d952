import FoundationEssentials

/// The probes of a pod's containers, by the path under which the admin endpoint answers them.
///
/// The text is JSON: an object with a probe, as Kubernetes writes it, for each path such as
/// `/app-health/orders/readyz`. Further keys of a probe are skipped. Nobody who asks chooses what is asked.
public struct ProbeList: Hashable, Sendable {
    public let probes: [String: ApplicationProbe]

    public init(parsing text: String) throws(ProbeListFlaw) {
        guard text.utf8.count <= Self.bytesAtMost else {
            throw ProbeListFlaw("it is larger than \(Self.bytesAtMost) bytes")
        }
        let written: [String: WrittenProbe]
        do {
            written = try JSONDecoder().decode([String: WrittenProbe].self, from: Data(text.utf8))
        } catch {
            throw ProbeListFlaw("it is no JSON object of probes: \(Self.reason(error))")
        }
        guard written.count <= Self.probesAtMost else {
            throw ProbeListFlaw("it has more than \(Self.probesAtMost) probes")
        }
        var probes: [String: ApplicationProbe] = [:]
        for (path, probe) in written.sorted(by: { $0.key < $1.key }) {
            guard Self.isPath(path) else {
                throw ProbeListFlaw(
                    "\"\(path.prefix(100))\" is no path such as /app-health/CONTAINER/readyz, livez or startupz")
            }
            do throws(ProbeListFlaw) {
                probes[path] = try probe.checked()
            } catch {
                throw ProbeListFlaw("\(path): \(error)")
            }
        }
        self.probes = probes
    }

    private static func isPath(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].isEmpty, parts[1] == "app-health",
            ["livez", "readyz", "startupz"].contains(parts[3])
        else { return false }
        // A DNS label (RFC 1123), as the names of containers are.
        return (1...63).contains(parts[2].utf8.count)
            && parts[2].utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "it cannot be read" }
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context):
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty
                ? "a value is of the wrong type" : "the value at \(path) is missing or of the wrong type"
        default: return "it cannot be read"
        }
    }

    public static let bytesAtMost = 128 * 1_024
    private static let probesAtMost = 192
}

/// Why a text lists no probes.
public struct ProbeListFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A probe as Kubernetes writes it.
private struct WrittenProbe: Decodable {
    struct HTTPGet: Decodable {
        struct Header: Decodable {
            let name: String
            let value: String?
        }

        let path: String?
        let port: Int
        let scheme: String?
        let host: String?
        let httpHeaders: [Header]?
    }

    struct TCPSocket: Decodable {
        let port: Int
        let host: String?
    }

    struct GRPC: Decodable {
        let port: Int
        let service: String?
    }

    let httpGet: HTTPGet?
    let tcpSocket: TCPSocket?
    let grpc: GRPC?
    let timeoutSeconds: Int?

    func checked() throws(ProbeListFlaw) -> ApplicationProbe {
        let seconds = timeoutSeconds ?? 1
        guard (1...Self.longestSeconds).contains(seconds) else {
            throw ProbeListFlaw("`timeoutSeconds` is not between 1 and \(Self.longestSeconds)")
        }
        switch (httpGet, tcpSocket, grpc) {
        case (let http?, nil, nil):
            return ApplicationProbe(
                request: .http(try Self.checked(http)), port: try Self.port(http.port),
                timeoutMilliseconds: seconds * 1_000)
        case (nil, let tcp?, nil):
            try Self.checkHost(tcp.host)
            return ApplicationProbe(
                request: .tcp, port: try Self.port(tcp.port), timeoutMilliseconds: seconds * 1_000)
        case (nil, nil, let grpc?):
            let service = grpc.service ?? ""
            guard service.utf8.count <= Self.serviceBytesAtMost else { throw ProbeListFlaw("`service` is too long") }
            return ApplicationProbe(
                request: .grpc(service: service), port: try Self.port(grpc.port), timeoutMilliseconds: seconds * 1_000)
        default: throw ProbeListFlaw("it needs one of `httpGet`, `tcpSocket` and `grpc`")
        }
    }

    private static func checked(_ http: HTTPGet) throws(ProbeListFlaw) -> HTTPProbe {
        try checkHost(http.host)
        let scheme = http.scheme ?? "HTTP"
        guard ["HTTP", "HTTPS"].contains(scheme.uppercased()) else {
            throw ProbeListFlaw("`scheme` is neither HTTP nor HTTPS")
        }
        let headers = http.httpHeaders ?? []
        guard headers.count <= headersAtMost else { throw ProbeListFlaw("it has more than \(headersAtMost) headers") }
        for header in headers {
            guard header.name.isToken, (header.value ?? "").isFieldValue else {
                throw ProbeListFlaw("\"\(header.name.prefix(64))\" is no header of HTTP, or its value is none")
            }
        }
        return HTTPProbe(
            isSecure: scheme.uppercased() == "HTTPS", target: ProbeTarget.requested(http.path ?? "/"),
            headers: headers.map { HTTPProbe.Header(name: $0.name, value: $0.value ?? "") })
    }

    /// Kubelet would ask another host there: that is not for the proxy to do.
    private static func checkHost(_ host: String?) throws(ProbeListFlaw) {
        guard let host, !host.isEmpty else { return }
        throw ProbeListFlaw("it has a `host`: only the application of this pod is asked")
    }

    private static func port(_ number: Int) throws(ProbeListFlaw) -> UInt16 {
        guard let port = UInt16(exactly: number), port > 0 else { throw ProbeListFlaw("\(number) is no port") }
        return port
    }

    private static let longestSeconds = 600
    private static let headersAtMost = 64
    private static let serviceBytesAtMost = 1_024
}

extension String {
    /// RFC 9110 5.6.2.
    fileprivate var isToken: Bool {
        let others = Set("!#$%&'*+-.^_`|~".utf8)
        return !isEmpty
            && utf8.allSatisfy {
                (0x61...0x7A).contains($0 | 0x20) || (0x30...0x39).contains($0) || others.contains($0)
            }
    }

    /// RFC 9110 5.5: no control characters, so that it ends no line.
    fileprivate var isFieldValue: Bool {
        utf8.count <= 4_096 && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }
    }
}
