import EventLoop
import SVID
import Settings
import System
import TLS

/// Connections of outbound routes that have shaken hands before an application comes. Each is a connection without an
/// application's socket; when an application comes it is authorized again and takes that over.
extension Worker {
    /// Opens what the pools miss, and finds when to look again.
    mutating func tendSpares() {
        nextSpareLookAt = .max
        guard stage == .serving else { return }
        for listener in listeners.indices where listeners[listener].service == .serving {
            for place in listeners[listener].spares.indices {
                var left = listeners[listener].spares[place].missing(now: loop.now)
                // Clients come first: spares have half of the places at most.
                while left > 0, connections.count < memory.connections / 2 {
                    left -= 1
                    openSpare(listener, place)
                }
                let next = listeners[listener].spares[place].nextLookAt
                // Where there was no room, there may be some later.
                nextSpareLookAt = min(nextSpareLookAt, left > 0 ? loop.now + Self.spareRetryNanoseconds : next)
            }
        }
    }

    /// Gives the application's socket of a connection that has just been accepted, or waits for a place at an endpoint,
    /// to a spare one; false if there is none that would be allowed now. The slot is free afterwards.
    mutating func handToSpare(_ slot: Int32) -> Bool {
        let listener = connections[slot].listener
        guard let route = connections[slot].route, listeners[listener].spares[route].limit > 0 else { return false }
        nextSpareLookAt = 0
        while let token = listeners[listener].spares[route].take(now: loop.now) {
            guard let spare = connections.slot(of: token), connections[spare].machine.phase == .spare else { continue }
            let downstream = connections[slot].downstream
            connections[spare].adopt(downstream)
            guard isAllowed(spare, route) else {
                connections[spare].forgetDownstream()
                advance(spare, after: connections[spare].machine.retire())
                continue
            }
            let descriptor = connections[slot][.application].descriptor
            connections[spare][.application].descriptor = descriptor
            connections[spare].machine.adopted()
            timers.cancel(slot)
            connections.remove(slot)
            listeners[listener].connections -= 1
            advance(spare, after: .goesOn)
            return true
        }
        return false
    }

    /// A spare connection has completed its handshake.
    mutating func spareIsReady(_ slot: Int32) -> ConnectionMachine.Course {
        let listener = connections[slot].listener
        guard stage == .serving, let route = spareRoute(slot), isCurrent(slot, route) else {
            return connections[slot].machine.end(.routeRemoved)
        }
        endpointServes(slot)
        connections[slot].spareStanding = .ready
        connections[slot].agesAt = loop.now + Self.spareAgeNanoseconds
        listeners[listener].spares[route].opened(connections.token(.receivePeer, slot))
        connections[slot].machine.waitsForApplication()
        return .goesOn
    }

    /// Ends a spare connection in order, as an application would that has nothing to say.
    mutating func retireSpare(_ slot: Int32) {
        leavePool(slot)
        advance(slot, after: connections[slot].machine.retire())
    }

    /// It has ended, was taken, or is to end: its pool counts it no more.
    mutating func leavePool(_ slot: Int32) {
        let standing = connections[slot].spareStanding
        guard standing == .opening || standing == .ready else { return }
        connections[slot].spareStanding = .retired
        nextSpareLookAt = 0
        let listener = connections[slot].listener
        guard let route = spareRoute(slot) else { return }
        if standing == .ready {
            listeners[listener].spares[route].remove(connections.token(.receivePeer, slot))
        } else {
            listeners[listener].spares[route].failed(now: loop.now)
        }
    }

    /// Ends the spare connections that were made by what no longer holds: another SVID, other trust, other identities.
    ///
    /// - Parameter all: and every other one as well.
    mutating func retireOutdatedSpares(all: Bool = false) {
        nextSpareLookAt = 0
        guard all || listeners.contains(where: { $0.hasSpares }) else { return }
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            switch connections[slot].spareStanding {
            case .none, .retired: break
            case .opening:
                // What it was begun with is looked at when it is ready.
                if all { advance(slot, after: connections[slot].machine.cut(.drained)) }
            case .ready:
                let listener = connections[slot].listener
                let isServing = listeners[listener].service == .serving
                let route = spareRoute(slot)
                let isWanted = route.map { isCurrent(slot, $0) && !listeners[listener].spares[$0].isOverfull } ?? false
                if all || !isServing || !isWanted { retireSpare(slot) }
            }
        }
    }

    // MARK: Private

    private mutating func openSpare(_ listener: Int, _ route: Int) {
        let plan = listeners[listener].plan
        let nobody = SocketAddress(v4: 0, port: 0)
        let slot = connections.insert(
            Connection(spareOf: listener, plan, route: route, source: nobody, now: loop.now))
        listeners[listener].connections += 1
        listeners[listener].spares[route].opens()
        advance(slot, after: dial(slot))
    }

    /// The index of the route that it was made for, in the listener's current plan.
    private func spareRoute(_ slot: Int32) -> Int? {
        let number = connections[slot].dialling.group
        return listeners[connections[slot].listener].endpoints.firstIndex { $0.number == number }
    }

    /// Whether the route still has its endpoint, and makes its sessions with the same SVID, the same trust and for the
    /// same identities.
    private func isCurrent(_ slot: Int32, _ route: Int) -> Bool {
        let plan = listeners[connections[slot].listener].plan
        let address = connections[slot].dialling.address
        guard plan.routes.indices.contains(route),
            plan.routes[route].endpoints.contains(where: { $0.address == address })
        else { return false }
        let contexts = listeners[connections[slot].listener].contexts
        return contexts.indices.contains(route)
            && connections[slot].withSession { $0.belongs(to: contexts[route]) } == true
    }

    /// Authorizes it for the caller that it has now, as a connection that has just shaken hands.
    private mutating func isAllowed(_ slot: Int32, _ route: Int) -> Bool {
        guard isCurrent(slot, route), let peer = connections[slot].peer, peer.chainNotAfter >= clock(),
            denial(slot, rechecksPeer: true) == nil, connections[slot].route == route
        else { return false }
        connections[slot].agesAt = endOfAge(connections[slot].plan)
        return true
    }

    private static var spareRetryNanoseconds: UInt64 { 100_000_000 }
    /// After that long a waiting one is replaced: a server that drains waits for it, for half a minute by default.
    private static var spareAgeNanoseconds: UInt64 { 20_000_000_000 }
}
