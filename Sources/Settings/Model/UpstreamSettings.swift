public import Policy

/// Where a route forwards to and, on an outbound route, which server identities it accepts.
public struct UpstreamSettings: Equatable, Sendable {
    public enum Target: Hashable, Sendable {
        /// Never empty; no port is 0.
        case endpoints([UpstreamEndpoint])
        case builtin(BuiltinUpstream)
        /// Where the client wanted to go; inbound, its port on loopback. On a transparent listener only.
        case original
    }

    public var target: Target
    /// How names among the endpoints are looked up.
    public var resolve = ResolveSettings()
    /// How connections are shared among the endpoints.
    public var balance = BalanceOrder.leastConnections
    public var health = HealthSettings()
    /// Open connections to one endpoint; 0: no limit.
    public var connectionsPerEndpoint = 0
    /// How many other endpoints a connection tries when one cannot be connected.
    public var retries = 2
    /// How many handshaken connections are kept ready; outbound only.
    public var preconnect = 0
    /// Whether endpoints may be other hosts: always on an outbound route.
    public var allowsRemote = true
    /// The SNI to send; outbound only.
    public var serverName: String?
    /// The SPIFFE IDs accepted from the server; on an outbound route never empty, on an inbound one always.
    public var identities: [IdentityPattern]
    /// The ALPN protocols to offer, in order of preference; outbound only.
    public var applicationProtocols: [String]
    /// What the application is told of a connection before its first byte; inbound only.
    public var sendProxyProtocol: ProxyProtocolVersion?

    public init(
        target: Target,
        serverName: String? = nil,
        identities: [IdentityPattern] = [],
        applicationProtocols: [String] = []
    ) {
        self.target = target
        self.serverName = serverName
        self.identities = identities
        self.applicationProtocols = applicationProtocols
    }
}

/// A version of the PROXY protocol that is sent; version 1 has no room for an identity.
public enum ProxyProtocolVersion: String, Hashable, Sendable, CaseIterable {
    case v2
}

/// An application inside the proxy, for load tests that need no backend.
public enum BuiltinUpstream: String, Hashable, Sendable, CaseIterable {
    /// Echoes what it receives.
    case echo
    /// Reads and discards.
    case discard
    /// Sends for as long as the peer reads.
    case source
}
