import EventLoop
import System

extension Worker {
    /// Dials the route's next endpoint; the connection ends if none is left to try.
    mutating func dial(_ slot: Int32) -> ConnectionMachine.Course {
        if let target = originalTarget(slot) { return dialOriginal(slot, target) }
        guard let route = connections[slot].route else { preconditionFailure("dialled before a route was chosen") }
        let listener = connections[slot].listener
        let endpoints = connections[slot].plan.routes[route].endpoints
        // Only connections of the current plan take part in the rotation of its endpoints.
        let hasTurn = connections[slot].plan === listeners[listener].plan
        var rotation = hasTurn ? listeners[listener].rotations[route] : EndpointRotation()
        let next = connections[slot].dialled.next(among: endpoints) {
            hasTurn ? rotation.next(of: endpoints.count) : nil
        }
        if hasTurn { listeners[listener].rotations[route] = rotation }
        guard let address = next else {
            return connections[slot].machine.end(.upstreamUnreachable, lingering: true)
        }
        return connect(slot, to: address)
    }

    /// Begins the connect of the upstream's socket.
    mutating func connect(_ slot: Int32, to address: SocketAddress) -> ConnectionMachine.Course {
        let leg = connections[slot].machine.upstream
        let options = dialOptions(slot)
        guard options.source?.isIPv6 ?? address.isIPv6 == address.isIPv6 else {
            connections[slot].detail = "the caller's address is of another family than \(address.endpoint)"
            return connections[slot].machine.end(.upstreamUnreachable, lingering: true)
        }
        let descriptor = loop.openSocket(for: address, options)
        guard descriptor >= 0 else {
            connections[slot].detail = describe(0 - descriptor)
            let reason = options.source == nil ? CloseReason.overloaded : .upstreamUnreachable
            return connections[slot].machine.end(reason, lingering: true)
        }
        connections[slot][leg].descriptor = descriptor
        connections[slot].machine.dialled()
        dialBegan(slot, leg)
        loop.connect(descriptor, to: address, connections.token(.connect(leg), slot))
        return .goesOn
    }

    /// Gives the endpoint up: its connect is cancelled and, as after any failed one, the next endpoint is dialled.
    mutating func connectTimedOut(_ slot: Int32) -> ConnectionMachine.Course {
        guard let route = connections[slot].route,
            connections[slot].dialled.canGoOn(among: connections[slot].plan.routes[route].endpoints)
        else { return connections[slot].machine.end(.connectTimeout, lingering: true) }
        let leg = connections[slot].machine.upstream
        loop.cancel(connections[slot][leg].descriptor, connections.token(.connect(leg), slot))
        return .goesOn
    }

    mutating func connectCompleted(
        _ slot: Int32, _ leg: Leg, _ completion: Completion
    ) -> ConnectionMachine.Course {
        guard connections[slot].machine.phase == .dialling else {
            return connections[slot].machine.connectEnded(succeeded: true)
        }
        guard completion.result == 0 else {
            connections[slot].detail = describe(completion.errno)
            loop.close(connections[slot][leg].descriptor)
            connections[slot][leg].descriptor = -1
            if connections[slot].flow != nil { flowEnded(slot) }
            guard connections[slot].machine.connectEnded(succeeded: false) == .goesOn else { return .isOver }
            return dial(slot)
        }
        connections[slot].detail = nil
        guard connections[slot].machine.connectEnded(succeeded: true) == .goesOn else { return .isOver }
        connections[slot].lastActivity = loop.now
        if watchesFlows, let end = flowBegan(slot, leg) { return end }
        guard leg == .peer, !connections[slot].machine.isPlain else { return .goesOn }
        connections[slot].handshakeStartedAt = loop.now
        handshakeReceived(slot, RawSpan())
        return .goesOn
    }
}
