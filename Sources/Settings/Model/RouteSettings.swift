public import Policy

/// Which connections of a listener go to which upstream, under which policy.
public struct RouteSettings: Equatable, Sendable {
    public var name: String
    public var match: RouteMatch
    public var upstream: UpstreamSettings
    /// Index into `Settings.policies`; nil exactly on an outbound listener.
    public var policyIndex: Int?

    public init(name: String, match: RouteMatch = RouteMatch(), upstream: UpstreamSettings, policyIndex: Int? = nil) {
        self.name = name
        self.match = match
        self.upstream = upstream
        self.policyIndex = policyIndex
    }
}

/// The conditions of a route. All must hold; a condition holds if any of its values matches, or if it is empty.
public struct RouteMatch: Hashable, Sendable {
    public var serverNames: [ServerNamePattern]
    public var applicationProtocols: [String]
    public var destinationPorts: [PortRange]
    /// Where the client wanted to go; on a transparent listener only.
    public var destinations: [Destination]

    public init(
        serverNames: [ServerNamePattern] = [],
        applicationProtocols: [String] = [],
        destinationPorts: [PortRange] = [],
        destinations: [Destination] = []
    ) {
        self.serverNames = serverNames
        self.applicationProtocols = applicationProtocols
        self.destinationPorts = destinationPorts
        self.destinations = destinations
    }
}

extension RouteMatch {
    /// Whether this match provably holds wherever `other` does.
    func covers(_ other: RouteMatch) -> Bool {
        Self.covers(serverNames, other.serverNames) { $0.covers($1) }
            && Self.covers(applicationProtocols, other.applicationProtocols) { $0 == $1 }
            && Self.covers(destinationPorts, other.destinationPorts) { $0.contains($1) }
            && Self.covers(destinations, other.destinations) { $0.covers($1) }
    }

    /// An empty condition covers everything; else one of its values must cover each value of the other.
    private static func covers<Value>(
        _ values: [Value], _ others: [Value], by coversOne: (Value, Value) -> Bool
    ) -> Bool {
        guard !values.isEmpty else { return true }
        return !others.isEmpty && others.allSatisfy { other in values.contains { coversOne($0, other) } }
    }
}
