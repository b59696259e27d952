public import Policy

/// Which connections of a listener go to which upstream, under which policy.
public struct RouteSettings: Equatable, Sendable {
    public var name: String
    public var match: RouteMatch
    public var upstream: UpstreamSettings
    /// Into `Settings.policies`; nil exactly on an outbound listener.
    public var policyIndex: Int?

    public init(name: String, match: RouteMatch = RouteMatch(), upstream: UpstreamSettings, policyIndex: Int? = nil) {
        self.name = name
        self.match = match
        self.upstream = upstream
        self.policyIndex = policyIndex
    }
}

/// The conditions of a route. All that are named must hold; one holds if any of its values match; empty: not named.
public struct RouteMatch: Hashable, Sendable {
    public var serverNames: [ServerNamePattern]
    public var applicationProtocols: [String]
    public var destinationPorts: [PortRange]

    public init(
        serverNames: [ServerNamePattern] = [],
        applicationProtocols: [String] = [],
        destinationPorts: [PortRange] = []
    ) {
        self.serverNames = serverNames
        self.applicationProtocols = applicationProtocols
        self.destinationPorts = destinationPorts
    }
}
