import Balancing
import EventLoop
import Identity
import SVID
import System

/// What becomes of connections is what the group of their endpoints goes by.
extension Worker {
    /// The index of the route, and so of its endpoints, that the connection dials by; nil if the route is gone.
    ///
    /// A connection stays with the endpoints of its first dial for as long as the settings have a route of that name.
    mutating func endpoints(of slot: Int32) -> Int? {
        let listener = connections[slot].listener
        let number = connections[slot].dialling.group
        let isCurrent = connections[slot].plan === listeners[listener].plan
        if number != 0 {
            let place = place(number, listener, likely: connections[slot].route)
            // It was authorized for another route meanwhile: it must not go where the old one leads.
            guard isCurrent, place != connections[slot].route else { return place }
            connections[slot].dialling.startsAnew()
        }
        guard let route = connections[slot].route else { preconditionFailure("dialled before a route was chosen") }
        let name = connections[slot].plan.routes[route].name
        let place = isCurrent ? route : listeners[listener].endpoints.firstIndex { $0.name == name }
        if let place { connections[slot].dialling.group = listeners[listener].endpoints[place].number }
        return place
    }

    mutating func endpointConnected(_ slot: Int32) {
        guard connections[slot].dialling.standing == .open else { return }
        let time = connections[slot].dialling.connected(now: loop.now)
        dialCounts.count(.connected)
        tell(slot, connections[slot].dialling.current) { group, id, now in
            group.connected(id, after: time, now: now)
            return nil
        }
    }

    /// The endpoint has done what the route needs of it: been connected, and on an outbound route shaken hands.
    mutating func endpointServes(_ slot: Int32) {
        guard connections[slot].dialling.standing == .open else { return }
        tell(slot, connections[slot].dialling.current) { $0.succeeded($1, now: $2) }
        connections[slot].dialling.served()
    }

    /// - Parameter handshake: how the handshake failed, if that did.
    mutating func endpointFailed(_ slot: Int32, _ outcome: Dialling.Outcome, _ handshake: CloseReason? = nil) {
        guard connections[slot].dialling.standing == .open else { return }
        dialCounts.count(outcome)
        let reason = outcome == .timedOut ? "no answer" : connections[slot].detail ?? "the handshake failed"
        tell(slot, connections[slot].dialling.current, reason) { $0.failed($1, now: $2) }
        let code = handshake.map { connections[slot].code ?? $0.rawValue }
        let claimedID = connections[slot].refusedPeer?.id?.description
        connections[slot].dialling.failed(outcome, code: code, claimedID: claimedID, now: loop.now)
    }

    /// The connection is over: its endpoint has room for another one, and a failed handshake counts against it.
    mutating func leaveEndpoint(_ slot: Int32) {
        switch connections[slot].dialling.standing {
        case .none: return
        case .served:
            tell(slot, connections[slot].dialling.current) { group, id, _ in
                group.ended(id)
                return nil
            }
            connections[slot].dialling.left()
        case .open:
            if endsHandshakeOfUpstream(slot) {
                endpointFailed(slot, .handshakeFailed, connections[slot].machine.reason)
            } else {
                tell(slot, connections[slot].dialling.current) { group, id, now in
                    group.abandoned(id, now: now)
                    return nil
                }
                connections[slot].dialling.left()
            }
        }
    }

    /// Dials for connections that waited for a place at an endpoint.
    mutating func dialForWaiting() {
        hasRoomAtEndpoints = false
        for listener in listeners.indices {
            for place in listeners[listener].endpoints.indices {
                // In the order in which they came; who finds no place stays where it is.
                while let token = listeners[listener].endpoints[place].waiting.first {
                    guard let slot = connections.slot(of: token), waits(slot, at: listeners[listener].endpoints[place])
                    else {
                        _ = listeners[listener].endpoints[place].waiting.popFirst()
                        continue
                    }
                    if takesSpare(slot) {
                        _ = listeners[listener].endpoints[place].waiting.popFirst()
                        continue
                    }
                    let course = dial(slot)
                    // It may wait at other endpoints now.
                    if course == .goesOn, waits(slot, at: listeners[listener].endpoints[place]) { break }
                    _ = listeners[listener].endpoints[place].waiting.popFirst()
                    advance(slot, after: course)
                }
            }
        }
    }

    /// After a change, and if it is admitted after its recheck: has a connection that waits at the endpoints of a route
    /// which is no longer its own, or is gone, dial anew.
    mutating func leaveOutdatedQueue(_ slot: Int32) {
        guard connections[slot].machine.phase == .dialling, connections[slot].dialling.isWaiting else { return }
        let listener = connections[slot].listener
        let plan = listeners[listener].plan
        if connections[slot].plan !== plan, connections[slot].spareStanding == .none {
            // An outbound one, which was not authorized yet.
            guard let route = plan.route(of: connections[slot]) else {
                return advance(slot, after: connections[slot].machine.end(.routeRemoved))
            }
            connections[slot].plan = plan
            connections[slot].route = route
        }
        let route = connections[slot].route
        let place = place(connections[slot].dialling.group, listener, likely: route)
        let isOutdated = place == nil || connections[slot].plan === plan && place != route
        if isOutdated || listeners[listener].service == .removed { advance(slot, after: dial(slot)) }
    }

    /// The index of the route by which its connect that is under way was begun; nil if another one is to be dialled by
    /// now.
    func currentEndpoints(of slot: Int32) -> Int? {
        let listener = connections[slot].listener
        let place = place(connections[slot].dialling.current.group, listener, likely: connections[slot].route)
        let isCurrent = connections[slot].plan === listeners[listener].plan
        return isCurrent && place != connections[slot].route ? nil : place
    }

    // MARK: Private

    /// Whether it ended by the upstream's fault before that served.
    private func endsHandshakeOfUpstream(_ slot: Int32) -> Bool {
        // Of an inbound route the peer is the client, and the endpoint has no part in what it does.
        guard connections[slot].machine.mode == .outbound else { return false }
        return switch connections[slot].machine.reason {
        case .handshakeFailed, .certificateRefused, .handshakeTimeout, .peerReset, .peerTruncated: true
        default: false
        }
    }

    /// Whether a spare connection has become ready meanwhile, and serves the application of one that waits.
    private mutating func takesSpare(_ slot: Int32) -> Bool {
        let listener = connections[slot].listener
        guard connections[slot].machine.mode == .outbound, connections[slot].plan === listeners[listener].plan else {
            return false
        }
        return handToSpare(slot)
    }

    private func waits(_ slot: Int32, at endpoints: RouteEndpoints) -> Bool {
        connections[slot].machine.phase == .dialling && connections[slot].dialling.isWaiting
            && connections[slot].dialling.group == endpoints.number
    }

    private func place(_ number: UInt32, _ listener: Int, likely route: Int?) -> Int? {
        if let route, route < listeners[listener].endpoints.count,
            listeners[listener].endpoints[route].number == number
        {
            return route
        }
        return listeners[listener].endpoints.firstIndex { $0.number == number }
    }

    /// Tells the group of the endpoint that was dialled what happened, and reports a change of service.
    mutating func tell(
        _ slot: Int32, _ dial: Dialling.Dial, _ reason: String = "",
        _ body: (inout EndpointGroup, EndpointID, _ now: UInt64) -> EndpointGroup.News?
    ) {
        let listener = connections[slot].listener
        let id = dial.endpoint
        guard let place = place(dial.group, listener, likely: connections[slot].route) else { return }
        let now = loop.now
        let news = listeners[listener].endpoints[place].update { body(&$0, id, now) }
        if !listeners[listener].endpoints[place].waiting.isEmpty { hasRoomAtEndpoints = true }
        report(news, of: listeners[listener].endpoints[place], listener, reason)
    }

    /// Notes a change of service for the control thread.
    mutating func report(_ news: EndpointGroup.News?, of route: RouteEndpoints, _ listener: Int, _ reason: String) {
        guard let news, endpointReports.count < Self.endpointReportsAtMost else { return }
        let id: EndpointID
        let change: EndpointReport.Change
        switch news {
        case .ejected(let ejected, let failures, let nanoseconds):
            id = ejected
            change = .ejected(failures: failures, nanoseconds: nanoseconds, reason: reason)
        case .returned(let returned):
            id = returned
            change = .returned
        }
        endpointReports.append(
            EndpointReport(
                listener: listeners[listener].plan.name, route: route.name, address: route.address(of: id),
                change: change))
    }

    /// Between two turns there are few; more than this are not kept.
    private static var endpointReportsAtMost: Int { 4_096 }
}
