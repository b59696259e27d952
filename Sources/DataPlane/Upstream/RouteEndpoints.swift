import Balancing
import System

/// A worker's view of a route's endpoints, across changes of their list. What the settings call one route keeps it.
struct RouteEndpoints {
    /// Names it to its connections; not 0.
    let number: UInt32
    /// The route's name.
    let name: String
    private(set) var group: EndpointGroup
    /// Of each ID that the group has given.
    private var addresses: [SocketAddress] = []
    private var ids: [SocketAddress: EndpointID] = [:]
    /// Connections that wait for a place at an endpoint.
    var waiting = TokenQueue()

    /// - Parameter numbers: the last number that was given.
    init(_ route: RoutePlan, after numbers: inout UInt32, now: UInt64) {
        numbers += 1
        number = numbers
        name = route.name
        group = EndpointGroup(route.balancing)
        take(route, now: now)
    }

    /// Goes over to the endpoints of another plan.
    mutating func take(_ route: RoutePlan, now: UInt64) {
        let members = route.endpoints.map { endpoint in
            Member(
                id: ids[endpoint.address], tier: endpoint.tier, weight: endpoint.weight, name: endpoint.name,
                isOtherFamily: endpoint.isOtherFamily)
        }
        let listed = group.list(members, route.balancing, now: now)
        for (id, endpoint) in zip(listed, route.endpoints) {
            let index = Int(id)
            if index < addresses.count {
                // The place of one that was forgotten.
                if addresses[index] != endpoint.address, ids[addresses[index]] == id { ids[addresses[index]] = nil }
                addresses[index] = endpoint.address
            } else {
                addresses.append(endpoint.address)
            }
            ids[endpoint.address] = id
        }
    }

    /// Nil if it is unknown.
    func id(of address: SocketAddress) -> EndpointID? { ids[address] }

    func address(of id: EndpointID) -> SocketAddress { addresses[Int(id)] }

    mutating func choose(tried: [EndpointID], now: UInt64, random: UInt64) -> EndpointGroup.Choice {
        group.choose(tried: tried, now: now, random: random)
    }

    /// Whether a connect to the endpoint may be raced by one to the other family of its name.
    func hasOtherFamily(_ id: EndpointID) -> Bool { group.hasOtherFamily(id) }

    mutating func chooseRival(of id: EndpointID, tried: [EndpointID], now: UInt64, random: UInt64) -> EndpointID? {
        group.chooseRival(of: id, tried: tried, now: now, random: random)
    }

    /// Whether there is an endpoint besides this one and those.
    func hasOther(than id: EndpointID, tried: [EndpointID]) -> Bool {
        group.ids.contains { $0 != id && !tried.contains($0) }
    }

    /// Tells the group what became of a connection; returns the change of service that follows.
    mutating func update<News>(_ body: (inout EndpointGroup) -> News) -> News { body(&group) }
}
