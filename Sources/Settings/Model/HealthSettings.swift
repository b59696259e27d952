/// How connections are shared among the endpoints of an upstream.
public enum BalanceOrder: String, Hashable, Sendable, CaseIterable {
    /// Of two endpoints picked at random, the one with fewer connections, weighed by how long it takes to connect.
    case leastConnections
    /// One after the other.
    case roundRobin
    /// The first in the order of the settings that is in service.
    case first
}

/// When an endpoint is taken out of service, and when it returns.
public struct HealthSettings: Hashable, Sendable {
    /// So many failures in a row eject an endpoint; 0: none is ejected.
    public var failures = 3
    /// The time of a first ejection.
    public var ejectForMilliseconds = 10_000
    /// Nil: endpoints are judged by the connections to them alone.
    public var check: CheckSettings?

    public init() {}
}

/// A check of each endpoint, once for all workers.
public struct CheckSettings: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// It must be connected.
        case tcp
        /// It must also complete a handshake; outbound only.
        case tls
    }

    public var everyMilliseconds = 5_000
    public var kind = Kind.tcp

    public init() {}
}
