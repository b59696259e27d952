import EventLoop
import Glibc
import System
import TLS

extension Worker {
    /// Dials the route's next endpoint; where none is left to try the connection ends.
    mutating func dial(_ slot: Int32) {
        guard let route = connections[slot].route else { preconditionFailure("dialled before a route was chosen") }
        let index = connections[slot].listener
        let endpoints = connections[slot].plan.routes[route].endpoints
        let leg = connections[slot].machine.upstream
        while connections[slot].endpointsTried < endpoints.count {
            // Those that come after a change take their turns among its endpoints.
            if connections[slot].endpointsTried == 0, connections[slot].plan === listeners[index].plan {
                connections[slot].endpoint = listeners[index].nextEndpoint[route]
                listeners[index].nextEndpoint[route] = (listeners[index].nextEndpoint[route] + 1) % endpoints.count
            } else {
                connections[slot].endpoint = ((connections[slot].endpoint ?? -1) + 1) % endpoints.count
            }
            connections[slot].endpointsTried += 1
            let address = endpoints[connections[slot].endpoint ?? 0]
            connections[slot].upstreamAddress = address
            let descriptor = loop.openSocket(for: address)
            guard descriptor >= 0 else {
                connections[slot].detail = describe(0 - descriptor)
                return connections[slot].machine.end(.overloaded, lingering: true)
            }
            connections[slot][descriptorOf: leg] = descriptor
            connections[slot].machine.dialled()
            loop.connect(descriptor, to: address, connections.token(.connect(leg), slot))
            return
        }
        connections[slot].machine.end(.upstreamUnreachable, lingering: true)
    }

    /// Gives the endpoint up: its connect is cancelled and, as after any failed one, the next endpoint is dialled.
    mutating func connectTimedOut(_ slot: Int32) {
        guard let route = connections[slot].route,
            connections[slot].endpointsTried < connections[slot].plan.routes[route].endpoints.count
        else { return connections[slot].machine.end(.connectTimeout, lingering: true) }
        let leg = connections[slot].machine.upstream
        loop.cancel(connections[slot][descriptorOf: leg], connections.token(.connect(leg), slot))
    }

    mutating func connectCompleted(_ slot: Int32, _ leg: Leg, _ completion: Completion) {
        guard connections[slot].machine.phase == .dialling else {
            return connections[slot].machine.connectEnded(succeeded: true)
        }
        guard completion.result == 0 else {
            connections[slot].detail = describe(completion.errno)
            loop.close(connections[slot][descriptorOf: leg])
            connections[slot][descriptorOf: leg] = -1
            connections[slot].machine.connectEnded(succeeded: false)
            return dial(slot)
        }
        connections[slot].detail = nil
        connections[slot].machine.connectEnded(succeeded: true)
        connections[slot].lastActivity = loop.now
        guard leg == .peer else { return }
        connections[slot].handshakeStartedAt = loop.now
        handshakeReceived(slot, RawSpan())
    }
}
