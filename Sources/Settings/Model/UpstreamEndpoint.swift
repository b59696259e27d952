import Policy

/// Where an upstream listens, as its author names it.
public enum UpstreamEndpoint: Hashable, Sendable, CustomStringConvertible {
    case address(Endpoint)
    /// Every address of the name, on this port.
    case host(HostName, port: UInt16)
    /// The targets and ports of the name's SRV records (RFC 2782).
    case service(HostName)
    /// A Unix socket of this host.
    case unix(UnixAddress)

    public var description: String {
        switch self {
        case .address(let endpoint): "\(endpoint)"
        case .host(let name, let port): "\(name):\(port)"
        case .service(let name): "srv:\(name)"
        case .unix(let address): "\(address)"
        }
    }

    var isName: Bool {
        switch self {
        case .address, .unix: false
        case .host, .service: true
        }
    }
}

/// How the names among an upstream's endpoints are looked up.
public struct ResolveSettings: Hashable, Sendable {
    /// The longest time between two lookups; the TTL of an answer shortens it.
    public var everyMilliseconds = 30_000
    public var family = AddressFamily.auto
    public var addresses = AddressChoice.all
    /// The DNS server to ask; nil: those of the host.
    public var server: Endpoint?

    public init() {}
}

/// Which address records of a name are used.
public enum AddressFamily: String, Hashable, Sendable, CaseIterable {
    /// Both.
    case auto
    case ipv4, ipv6
}

/// How many addresses of a name are used.
public enum AddressChoice: String, Hashable, Sendable, CaseIterable {
    case all
    /// One, for as long as it stays in the answers.
    case first
}

/// A name to look up, how and where. Equal questions are asked once, whoever needs the answer.
public struct NameQuestion: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case host, service
        /// A host among the destinations of a route: whoever has one of its addresses is meant, so that none may lack.
        case destination
    }

    public let name: HostName
    public let kind: Kind
    public let family: AddressFamily
    public let addresses: AddressChoice
    public let server: Endpoint?

    /// Nil if the endpoint is no name.
    public init?(_ endpoint: UpstreamEndpoint, _ settings: ResolveSettings) {
        switch endpoint {
        case .address, .unix: return nil
        case .host(let name, _):
            self.name = name
            kind = .host
        case .service(let name):
            self.name = name
            kind = .service
        }
        family = settings.family
        addresses = settings.addresses
        server = settings.server
    }

    /// A name among destinations: both families, of the host's servers.
    init(destination name: HostName) {
        self.name = name
        kind = .destination
        family = .auto
        addresses = .all
        server = nil
    }
}

extension UpstreamSettings {
    /// The names among its endpoints.
    public var questions: [NameQuestion] {
        guard case .endpoints(let endpoints) = target else { return [] }
        return endpoints.compactMap { NameQuestion($0, resolve) }
    }
}
