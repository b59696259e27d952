public import Policy
public import PolicyAnalysis
public import Settings

/// A route of an inbound listener, the policy that it applies, and the requests that it can get.
public struct RoutePolicy: Sendable {
    public let listener: String
    public let route: String
    public let policy: Policy
    public let scope: RequestScope
    /// What decides, apart from the policy, which connections the route gets.
    public let match: RouteMatch
    /// In `Settings`.
    let listenerIndex: Int
    let routeIndex: Int
}

extension Settings {
    public var routePolicies: [RoutePolicy] {
        listeners.enumerated().filter { $0.element.mode == .inbound }.flatMap { index, listener in
            listener.routes.enumerated().compactMap { routeIndex, route in
                route.policyIndex.map { policyIndex in
                    RoutePolicy(
                        listener: listener.name, route: route.name, policy: policies[policyIndex],
                        scope: RequestScope(
                            serverNames: route.match.serverNames, destinationPorts: ports(of: route, listener),
                            hasPort: listener.bind.endpoint != nil, admitsPlaintext: listener.permissive != nil),
                        match: route.match, listenerIndex: index, routeIndex: routeIndex)
                }
            }
        }
    }

    /// The ports that connections of a route can be for; empty: any.
    private func ports(of route: RouteSettings, _ listener: ListenerSettings) -> [PortRange] {
        guard route.match.destinationPorts.isEmpty else { return route.match.destinationPorts }
        guard listener.transparency == .off, let port = listener.bind.endpoint?.port else { return [] }
        return PortRange(lower: port, upper: port).map { [$0] } ?? []
    }
}
