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
        let listener = connections[slot].listener
        if connections[slot].dialling.rivalry == .free {
            // The first one failed at once.
            if let id = chooseRival(slot, place) { return dial(slot, place, id, afterRival: true) }
            connections[slot].dialling.staysAlone()
        }
        let retries = listeners[listener].plan.routes[place].upstream.retries
        guard connections[slot].dialling.rounds <= retries else { return unreachable(slot) }
        let isWaiting = connections[slot].dialling.isWaiting
        if !isWaiting, !listeners[listener].endpoints[place].waiting.isEmpty {
            // Nobody overtakes those that wait already; whether they still do is found out before the next turn.
            hasRoomAtEndpoints = true
            return wait(slot, place)
        }
        dials &+= 1
        let (now, random, tried) = (loop.now, dialSeed &+ dials, connections[slot].dialling.tried)
        switch listeners[listener].endpoints[place].choose(tried: tried, now: now, random: random) {
        case .none: return unreachable(slot)
        case .wait: return isWaiting ? .goesOn : wait(slot, place)
        case .dial(let id): return dial(slot, place, id)
        }
    }

    /// A connect of the upstream leg, or its rival, has ended.
    mutating func connectCompleted(
        _ slot: Int32, _ operation: Operation, _ completion: Completion
    ) -> ConnectionMachine.Course {
        let isDialling = connections[slot].machine.phase == .dialling
        if connections[slot].isRival(operation) {
            let isOvertaken = connections[slot].dialling.rival?.isOvertaken == true
            guard isDialling, !isOvertaken else { return rivalEnded(slot, completion) }
            swapWithRival(slot)
        }
        guard isDialling else { return connections[slot].machine.connectEnded(succeeded: true) }
        let leg = connections[slot].machine.upstream
        guard completion.result == 0 else {
            let outcome: Dialling.Outcome =
                connections[slot].dialling.current.isTimedOut ? .timedOut : .failed(errno: completion.errno)
            if outcome != .timedOut { connections[slot].detail = describe(completion.errno) }
            if connections[slot].flow != nil { flowEnded(slot) }
            loop.close(connections[slot][leg].descriptor)
            connections[slot][leg].descriptor = -1
            endpointFailed(slot, outcome)
            if let course = promoteRival(slot) { return course }
            guard connections[slot].machine.connectEnded(succeeded: false) == .goesOn else { return .isOver }
            return dial(slot)
        }
        connections[slot].detail = nil
        endpointConnected(slot)
        cancelRival(slot)
        guard connections[slot].machine.connectEnded(succeeded: true) == .goesOn else { return .isOver }
        connections[slot].lastActivity = loop.now
        if watchesFlows, let end = flowBegan(slot) { return end }
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
        let operation = connections[slot].connectOperation
        dialBegan(slot, operation)
        loop.connect(descriptor, to: address, connections.token(operation, slot))
        return .goesOn
    }

    // MARK: Private

    /// Dials this endpoint, at which the connection counts already.
    private mutating func dial(
        _ slot: Int32, _ place: Int, _ id: EndpointID, afterRival: Bool = false
    ) -> ConnectionMachine.Course {
        let listener = connections[slot].listener
        let address = listeners[listener].endpoints[place].address(of: id)
        let hasOtherFamily = listeners[listener].endpoints[place].hasOtherFamily(id)
        connections[slot].dialling.begin(
            id, address, hasOtherFamily: hasOtherFamily, afterRival: afterRival, now: loop.now)
        let hasNames = listeners[listener].plan.routes[place].hasNames
        if leadsBack(address, from: listener, isNamed: hasNames) {
            let detail = "an endpoint leads to \(address.endpoint), an address of this proxy itself"
            return endLoop(slot, detail)
        }
        return connect(slot, to: address)
    }

    /// Waits for a place at an endpoint, for as long as a connect may take. A connection without an application does
    /// not stand in the way of those that have one.
    private mutating func wait(_ slot: Int32, _ place: Int) -> ConnectionMachine.Course {
        guard connections[slot].spareStanding == .none else { return connections[slot].machine.end(.upstreamLimit) }
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
        let reason: CloseReason =
            switch last {
            case .timedOut: .connectTimeout
            case .handshakeFailed: .handshakeFailed
            default: .upstreamUnreachable
            }
        return connections[slot].machine.end(reason, lingering: true)
    }
}
