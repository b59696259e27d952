import Balancing
import EventLoop
import Settings
import TLS

/// Another endpoint for an outbound connection whose handshake has failed. The application's bytes are read only after
/// a handshake that is complete and authorized: until then none can have been sent, to the wrong peer or any other.
extension Worker {
    /// A handshake failed by the other side's fault: the connection ends, or another endpoint of its route is dialled.
    mutating func handshakeFailed(
        _ slot: Int32, _ reason: CloseReason, lingering: Bool = false
    ) -> ConnectionMachine.Course {
        guard mayRedial(slot) else { return connections[slot].machine.end(reason, lingering: lingering) }
        endpointFailed(slot, .handshakeFailed, reason)
        connections[slot].machine.redials(isBroken: reason == .peerReset)
        return .goesOn
    }

    /// Whether the handshake under way is with an upstream, and its route has a retry and an endpoint left.
    func mayRedial(_ slot: Int32) -> Bool {
        let listener = connections[slot].listener
        guard connections[slot].machine.awaitsUpstreamHandshake, connections[slot].dialling.standing == .open,
            listeners[listener].service == .serving, let place = currentEndpoints(of: slot)
        else { return false }
        let retries = listeners[listener].plan.routes[place].upstream.retries
        let current = connections[slot].dialling.current.endpoint
        return connections[slot].dialling.rounds <= retries
            && listeners[listener].endpoints[place].hasOther(than: current, tried: connections[slot].dialling.tried)
    }

    /// Nothing of the failed handshake is in flight any more: its session and socket go, and another endpoint is
    /// dialled.
    mutating func redial(_ slot: Int32) -> ConnectionMachine.Course {
        if connections[slot].flow != nil { flowEnded(slot) }
        connections[slot][.peer].queue.removeAll(&pool)
        loop.close(connections[slot][.peer].descriptor)
        connections[slot][.peer] = SocketLeg()
        connections[slot].session = nil
        connections[slot].code = nil
        connections[slot].machine.redialled()
        return dial(slot)
    }

    /// The failed upstream does not take what it is told.
    mutating func redialTimedOut(_ slot: Int32) -> ConnectionMachine.Course {
        connections[slot].machine.upstreamBroke()
        return connections[slot].machine.course
    }
}
