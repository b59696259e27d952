import Balancing
import EventLoop
import Settings
import System

extension Worker {
    /// Dials the endpoint that the route's group chooses, or waits for a place at one; the connection ends if none is
    /// left to try.
    mutating func dial(_ slot: Int32) -> ConnectionMachine.Course {
        if let target = originalTarget(slot) { return dialOriginal(slot, target) }
        guard listeners[connections[slot].listener].service != .removed else {
            return connections[slot].machine.end(.listenerRemoved, lingering: true)
        }
        // The sweep that follows a change may not have come to it yet.
        if connections[slot].isAdmitted, connections[slot].round != round, let denial = outdatedDenial(slot) {
            connections[slot].code = denial.code
            return refuse(slot, denial.later)
        }
        guard let place = endpoints(of: slot) else {
            return connections[slot].machine.end(.routeRemoved, lingering: true)
        }
        let tried = connections[slot].dialling.tried
        let retries = listeners[connections[slot].listener].plan.routes[place].upstream.retries
        guard tried.count <= retries else { return unreachable(slot) }
        let isWaiting = connections[slot].dialling.isWaiting
        if !isWaiting, !listeners[connections[slot].listener].endpoints[place].waiting.isEmpty {
            // Nobody overtakes those that wait already; whether they still do is found out before the next turn.
            hasRoomAtEndpoints = true
            return wait(slot, place)
        }
        dials &+= 1
        let (now, random, listener) = (loop.now, dialSeed &+ dials, connections[slot].listener)
        switch listeners[listener].endpoints[place].choose(tried: tried, now: now, random: random) {
        case .none: return unreachable(slot)
        case .wait: return isWaiting ? .goesOn : wait(slot, place)
        case .dial(let id):
            let address = listeners[listener].endpoints[place].address(of: id)
            connections[slot].dialling.begin(id, address, now: now)
            if listeners[listener].plan.routes[place].hasNames, leadsBack(address, from: listener) {
                let detail = "a name of the endpoints leads to \(address.endpoint), an address of this proxy itself"
                return endLoop(slot, detail)
            }
            return connect(slot, to: address)
        }
    }

    /// Gives the endpoint up: its connect is cancelled and, as after any failed one, another endpoint is dialled.
    mutating func connectTimedOut(_ slot: Int32) -> ConnectionMachine.Course {
        guard !connections[slot].dialling.isWaiting else {
            connections[slot].detail = "every endpoint has as many connections as it may"
            return connections[slot].machine.end(.upstreamLimit, lingering: true)
        }
        let leg = connections[slot].machine.upstream
        connections[slot].dialling.isTimedOut = true
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
            let outcome: Dialling.Outcome =
                connections[slot].dialling.isTimedOut ? .timedOut : .failed(errno: completion.errno)
            if outcome != .timedOut { connections[slot].detail = describe(completion.errno) }
            if connections[slot].flow != nil { flowEnded(slot) }
            loop.close(connections[slot][leg].descriptor)
            connections[slot][leg].descriptor = -1
            endpointFailed(slot, outcome)
            guard connections[slot].machine.connectEnded(succeeded: false) == .goesOn else { return .isOver }
            return dial(slot)
        }
        connections[slot].detail = nil
        endpointConnected(slot)
        guard connections[slot].machine.connectEnded(succeeded: true) == .goesOn else { return .isOver }
        connections[slot].lastActivity = loop.now
        if watchesFlows, let end = flowBegan(slot, leg) { return end }
        guard leg == .peer, !connections[slot].machine.isPlain else {
            endpointServes(slot)
            return .goesOn
        }
        connections[slot].handshakeStartedAt = loop.now
        handshakeReceived(slot, RawSpan())
        return .goesOn
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
        // Each endpoint has the whole time.
        connections[slot].timer = .none
        dialBegan(slot, leg)
        loop.connect(descriptor, to: address, connections.token(.connect(leg), slot))
        return .goesOn
    }

    // MARK: Private

    /// Waits for a place at an endpoint, for as long as a connect may take.
    private mutating func wait(_ slot: Int32, _ place: Int) -> ConnectionMachine.Course {
        listeners[connections[slot].listener].endpoints[place].waiting.append(
            connections.token(.connect(connections[slot].machine.upstream), slot))
        connections[slot].dialling.isWaiting = true
        connections[slot].timer = .none
        return .goesOn
    }

    private mutating func unreachable(_ slot: Int32) -> ConnectionMachine.Course {
        connections[slot].dialling.isWaiting = false
        let last = connections[slot].dialling.attempts.last?.outcome
        if last == nil { connections[slot].detail = "no name of the endpoints has an address" }
        return connections[slot].machine.end(
            last == .timedOut ? .connectTimeout : .upstreamUnreachable, lingering: true)
    }
}
