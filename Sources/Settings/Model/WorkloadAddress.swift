import Policy

/// The address of the SPIFFE Workload API (SPIFFE Workload Endpoint 4): `unix:/path`, `unix:///path` or
/// `tcp://IP:port`.
public enum WorkloadAddress: Hashable, Sendable, CustomStringConvertible {
    case unix(path: String)
    case tcp(Endpoint)

    public init(parsing text: String) throws(WorkloadAddressFlaw) {
        guard !text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value == 0x7F }) else {
            throw .spaceOrControl
        }
        guard let colon = text.firstIndex(of: ":") else { throw .noScheme }
        let rest = String(text[text.index(after: colon)...])
        guard !rest.contains("?"), !rest.contains("#") else { throw .queryOrFragment }
        switch text[..<colon] {
        case "unix": self = .unix(path: try Self.path(rest))
        case "tcp": self = .tcp(try Self.endpoint(rest))
        default: throw .scheme
        }
    }

    public var description: String {
        switch self {
        case .unix(let path): "unix:\(path)"
        case .tcp(let endpoint): "tcp://\(endpoint)"
        }
    }

    private static func path(_ text: String) throws(WorkloadAddressFlaw) -> String {
        var path = text
        if text.hasPrefix("//") {
            path = String(text.dropFirst(2))
            guard path.hasPrefix("/") else { throw path.isEmpty ? .noPath : .authority }
        }
        guard path.hasPrefix("/") else { throw .relativePath }
        guard path != "/" else { throw .noPath }
        // sun_path has 108 bytes, the terminating NUL included.
        guard path.utf8.count < 108 else { throw .longPath }
        return path
    }

    private static func endpoint(_ text: String) throws(WorkloadAddressFlaw) -> Endpoint {
        guard text.hasPrefix("//"), text.count > 2 else { throw .noHost }
        let authority = String(text.dropFirst(2))
        guard !authority.contains("@") else { throw .userInformation }
        guard !authority.contains("/") else { throw authority.hasPrefix("/") ? .noHost : .pathOfTCP }
        do throws(EndpointFlaw) {
            let endpoint = try Endpoint(parsing: authority)
            guard endpoint.port != 0 else { throw EndpointFlaw.badPort }
            return endpoint
        } catch {
            throw .endpoint(error)
        }
    }
}

/// Why a text is not a Workload API address.
public enum WorkloadAddressFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case spaceOrControl, noScheme, scheme, queryOrFragment
    case noPath, authority, relativePath, longPath
    case noHost, userInformation, pathOfTCP
    case endpoint(EndpointFlaw)

    public var description: String {
        switch self {
        case .spaceOrControl: "it has a space or a control character in it"
        case .noScheme, .scheme: "it must begin with unix: or tcp:"
        case .queryOrFragment: "it must have neither a query nor a fragment"
        case .noPath: "the path of the socket is missing"
        case .authority: "unix: must be followed by an absolute path: unix:/path or unix:///path"
        case .relativePath: "the path of the socket must be absolute"
        case .longPath: "the path of the socket is limited to 107 bytes"
        case .noHost: "tcp: must be followed by // and an IP address with a port"
        case .userInformation: "it must have no user information"
        case .pathOfTCP: "a TCP address must have no path"
        case .endpoint(let flaw): "\(flaw)"
        }
    }
}
