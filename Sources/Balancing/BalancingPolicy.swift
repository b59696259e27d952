/// How the endpoints of a route share its connections; durations in nanoseconds.
public struct BalancingPolicy: Hashable, Sendable {
    public enum Order: Hashable, Sendable {
        /// Of two endpoints picked at random, the one with fewer connections, weighed by how long it takes to connect.
        case leastConnections
        /// One after the other.
        case roundRobin
        /// The first one that is in service.
        case first
    }

    public var order: Order
    /// So many failures in a row eject an endpoint; 0: none is ejected.
    public var failuresToEject: Int
    /// The time of a first ejection, doubled with each further one; also how long a returned endpoint warms up.
    public var ejectionNanoseconds: UInt64
    /// Open connections to one endpoint; 0: no limit.
    public var connectionsAtMost: Int
    /// Whether checks are made: then an ejected endpoint returns when one passes, and no connection tries it before.
    public var hasChecks: Bool

    public init(
        order: Order = .leastConnections, failuresToEject: Int = 3, ejectionNanoseconds: UInt64 = 10_000_000_000,
        connectionsAtMost: Int = 0, hasChecks: Bool = false
    ) {
        self.order = order
        self.failuresToEject = failuresToEject
        self.ejectionNanoseconds = ejectionNanoseconds
        self.connectionsAtMost = connectionsAtMost
        self.hasChecks = hasChecks
    }

    /// The time of the ejection that follows `earlier` ones.
    func ejection(after earlier: Int) -> UInt64 {
        let longest = max(ejectionNanoseconds, Self.longestEjectionNanoseconds)
        return min(ejectionNanoseconds << UInt64(min(earlier, 16)), longest)
    }

    private static let longestEjectionNanoseconds: UInt64 = 300_000_000_000
}

/// One listed endpoint, as the group is told of it.
public struct Member: Hashable, Sendable {
    /// The endpoint that it is already; nil for a new one.
    public var id: EndpointID?
    /// Endpoints of a higher tier are dialled only while none of the lower ones is in service.
    public var tier: UInt16
    /// Relative to the others; at least 1.
    public var weight: UInt16
    /// Set where one name gave addresses of both families: which name.
    public var name: Int?
    /// Of such a name, whether it is of the family that is not preferred.
    public var isOtherFamily: Bool

    public init(
        id: EndpointID? = nil, tier: UInt16 = 0, weight: UInt16 = 1, name: Int? = nil, isOtherFamily: Bool = false
    ) {
        self.id = id
        self.tier = tier
        self.weight = max(weight, 1)
        self.name = name
        self.isOtherFamily = isOtherFamily
    }
}

/// Names an endpoint within its group for as long as it is listed, has connections or is ejected.
public typealias EndpointID = Int32
