import EventLoop
import Settings
import System

/// Upstreams that are where the client wanted to go.
extension Worker {
    /// What to dial where the client's destination is the upstream; nil where the route has endpoints.
    func originalTarget(_ slot: Int32) -> SocketAddress? {
        guard let destination = connections[slot].destination else { return nil }
        if connections[slot].machine.isPassedThrough { return destination }
        guard let route = connections[slot].route, connections[slot].plan.routes[route].isOriginal else { return nil }
        // Whatever address the client dialled: the application behind an inbound listener is on this host.
        return connections[slot].machine.mode == .inbound ? destination.onLoopback : destination
    }

    mutating func dialOriginal(_ slot: Int32, _ target: SocketAddress) -> ConnectionMachine.Course {
        guard connections[slot].target == nil else {
            let isTimedOut = connections[slot].dialling.current.isTimedOut
            let reason: CloseReason = isTimedOut ? .connectTimeout : .upstreamUnreachable
            return connections[slot].machine.end(reason, lingering: true)
        }
        // A listener may have been added since it was accepted.
        guard !isOurs(target) else { return endLoop(slot, "\(target.endpoint) is an address of this proxy itself") }
        connections[slot].target = target
        connections[slot].dialling.begin(target, now: loop.now)
        return connect(slot, to: target)
    }

    /// What the upstream's socket is given.
    func dialOptions(_ slot: Int32) -> DialOptions {
        DialOptions(mark: mark, source: connections[slot].plan.keepsSource ? connections[slot].source : nil)
    }

    /// Whether what was dialled is an endpoint of the route too, or the route has the same names, of which an answer
    /// may leave the address out.
    func follows(_ route: RoutePlan, _ slot: Int32) -> Bool {
        guard connections[slot].target == nil else { return route.isOriginal }
        let before = connections[slot].route.map { connections[slot].plan.routes[$0].upstream.target }
        return route.upstream.target == before
            || route.endpoints.contains { $0.address == connections[slot].dialling.address }
    }

    // MARK: Loops that no address shows

    /// Notes what this worker has dialled since the last call: a rule may have sent it to the listener whose accept is
    /// about to be checked, before the connect's own completion is handled.
    mutating func noteDials() {
        guard !dialsUnderWay.isEmpty else { return }
        let tokens = dialsUnderWay
        dialsUnderWay.removeAll(keepingCapacity: true)
        for token in tokens {
            guard let slot = connections.slot(of: token), let operation = Operation(rawValue: token.operation),
                isUnderWay(slot, operation)
            else { continue }
            // Without a port, the connect has not reached the kernel.
            if !noteFlow(slot, operation) { dialsUnderWay.append(token) }
        }
    }

    /// A connection of a transparent listener is dialled.
    mutating func dialBegan(_ slot: Int32, _ operation: Operation) {
        guard watchesFlows, connections[slot].destination != nil else { return }
        dialsUnderWay.append(connections.token(operation, slot))
    }

    /// Notes what was dialled, so that a listener recognises it if a rule redirects it. Ends the connection if it turns
    /// out to be such a one itself: another worker may have dialled it, and noted it since the accept.
    mutating func flowBegan(_ slot: Int32) -> ConnectionMachine.Course? {
        let mode = connections[slot].machine.mode
        if let destination = connections[slot].destination,
            ownSockets.contains(from: connections[slot].balancer ?? connections[slot].source, to: destination, at: mode)
        {
            return endLoop(slot, Self.ownConnection)
        }
        if connections[slot].flow == nil { _ = noteFlow(slot, connections[slot].connectOperation) }
        return nil
    }

    /// Whether it names a connect that has not ended, and whose flow is not noted yet.
    private func isUnderWay(_ slot: Int32, _ operation: Operation) -> Bool {
        if connections[slot].isRival(operation) { return connections[slot].dialling.rival?.flow == nil }
        return connections[slot].flow == nil && connections[slot].connectOperation == operation
            && connections[slot].machine[connections[slot].machine.upstream].isConnecting
    }

    /// False if the socket has no address yet.
    private mutating func noteFlow(_ slot: Int32, _ operation: Operation) -> Bool {
        let rival = connections[slot].isRival(operation) ? connections[slot].dialling.rival : nil
        let descriptor = rival?.descriptor ?? connections[slot][connections[slot].machine.upstream].descriptor
        guard let target = rival?.dial.address ?? connections[slot].dialledAddress,
            let local = loop.localAddress(of: descriptor), local.port != 0
        else { return false }
        let flow = Flow(source: local, destination: target, dialler: connections[slot].machine.mode)
        if rival != nil { connections[slot].dialling.rival?.flow = flow } else { connections[slot].flow = flow }
        ownSockets.insert(flow)
        return true
    }

    mutating func flowEnded(_ slot: Int32) {
        if let flow = connections[slot].flow { ownSockets.remove(flow) }
        connections[slot].flow = nil
    }
}

extension Connection {
    /// The address of the upstream that was dialled last.
    var dialledAddress: SocketAddress? { target ?? dialling.address }
}
