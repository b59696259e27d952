import Balancing
import EventLoop
import Glibc
import Settings
import System

/// The race of a name's two families (RFC 8305, section 5). The connect that was begun first, or has won, is that of
/// the upstream leg; the other one, the rival, has a socket of its own, which is closed once its connect has ended.
extension Worker {
    /// Begins what is due: cancels connects that took too long, and dials the other family beside one that is slow.
    mutating func connectTimerFired(_ slot: Int32) -> ConnectionMachine.Course {
        guard !connections[slot].dialling.isWaiting else {
            connections[slot].detail = "every endpoint has as many connections as it may"
            return connections[slot].machine.end(.upstreamLimit, lingering: true)
        }
        let (now, timeout) = (loop.now, limits.connectTimeoutNanoseconds)
        if now >= connections[slot].dialling.current.startedAt + timeout {
            let leg = connections[slot].machine.upstream
            connections[slot].dialling.timedOut()
            loop.cancel(connections[slot][leg].descriptor, connections.token(connections[slot].connectOperation, slot))
        }
        if let rival = connections[slot].dialling.rival, now >= rival.dial.startedAt + timeout {
            connections[slot].dialling.rival?.dial.isTimedOut = true
            cancelRival(slot)
        }
        if connections[slot].dialling.wantsRival(now: now) { beginRival(slot) }
        return .goesOn
    }

    /// The endpoint of the other family to dial, which counts the connection from now on; nil if there is none to race
    /// with, or others wait for a place at one.
    mutating func chooseRival(_ slot: Int32, _ place: Int) -> EndpointID? {
        let listener = connections[slot].listener
        guard listeners[listener].endpoints[place].waiting.isEmpty,
            // A caller's address is of one family.
            !connections[slot].plan.keepsSource
        else { return nil }
        dials &+= 1
        let (now, random, tried) = (loop.now, dialSeed &+ dials, connections[slot].dialling.tried)
        let endpoint = connections[slot].dialling.current.endpoint
        return listeners[listener].endpoints[place].chooseRival(of: endpoint, tried: tried, now: now, random: random)
    }

    /// Goes on with the rival where the upstream leg's connect has failed; nil if there is none.
    mutating func promoteRival(_ slot: Int32) -> ConnectionMachine.Course? {
        guard let rival = connections[slot].dialling.promoteRival() else { return nil }
        let leg = connections[slot].machine.upstream
        connections[slot][leg].descriptor = rival.descriptor
        connections[slot].flow = rival.flow
        connections[slot].timer = .none
        rivals -= 1
        return connections[slot].machine.rivalEnded()
    }

    /// The rival's connect is complete first, or has failed first: it is the upstream leg's from now on.
    mutating func swapWithRival(_ slot: Int32) {
        let leg = connections[slot].machine.upstream
        let (descriptor, flow) = (connections[slot][leg].descriptor, connections[slot].flow)
        let other = connections[slot].dialling.swapWithRival(descriptor, flow)
        connections[slot][leg].descriptor = other.descriptor
        connections[slot].flow = other.flow
    }

    mutating func cancelRival(_ slot: Int32) {
        guard let rival = connections[slot].dialling.rival else { return }
        loop.cancel(rival.descriptor, connections.token(connections[slot].operation(of: rival.dial), slot))
    }

    /// The rival's connect has ended after the other one won, or after the connection's end. That it was slower is no
    /// failure of its endpoint.
    mutating func rivalEnded(_ slot: Int32, _ completion: Completion) -> ConnectionMachine.Course {
        guard let rival = connections[slot].dialling.rival else { return connections[slot].machine.course }
        loop.close(rival.descriptor)
        if let flow = rival.flow { ownSockets.remove(flow) }
        rivals -= 1
        let outcome = rival.outcome(completion)
        connections[slot].dialling.rivalEnded(outcome, now: loop.now)
        if let outcome { dialCounts.count(outcome) }
        switch outcome {
        case .timedOut: tell(slot, rival.dial, "no answer") { $0.failed($1, now: $2) }
        case .failed(let code): tell(slot, rival.dial, describe(code)) { $0.failed($1, now: $2) }
        default:
            tell(slot, rival.dial) { group, id, now in
                group.abandoned(id, now: now)
                return nil
            }
        }
        return connections[slot].machine.rivalEnded()
    }

    // MARK: Private

    /// Dials the other family. Where there is no endpoint or no descriptor for it, or it would lead back to this proxy,
    /// the first connect goes on alone.
    private mutating func beginRival(_ slot: Int32) {
        let isRetry = connections[slot].dialling.rivalry == .asRetry
        let rounds = connections[slot].dialling.rounds
        let listener = connections[slot].listener
        // Of the descriptors of connections that there is still room for, each rival takes one.
        guard connections[slot].dialling.rival == nil, connections.count + rivals < memory.connections,
            // After a change only what was authorized since is dialled for.
            listeners[listener].service == .serving,
            !connections[slot].isAdmitted || connections[slot].round == round,
            let place = currentEndpoints(of: slot),
            !isRetry || rounds <= listeners[listener].plan.routes[place].upstream.retries,
            let id = chooseRival(slot, place)
        else { return connections[slot].dialling.staysAlone() }
        let now = loop.now
        let address = listeners[listener].endpoints[place].address(of: id)
        let leadsBack = leadsBack(address, from: listener, isNamed: true)
        let descriptor = leadsBack ? -1 : loop.openSocket(for: address, dialOptions(slot))
        guard descriptor >= 0 else {
            listeners[listener].endpoints[place].update { $0.abandoned(id, now: now) }
            return connections[slot].dialling.staysAlone()
        }
        connections[slot].dialling.beginRival(id, address, descriptor, now: now)
        connections[slot].machine.rivalDialled()
        rivals += 1
        guard let dial = connections[slot].dialling.rival?.dial else { return }
        let operation = connections[slot].operation(of: dial)
        dialBegan(slot, operation)
        loop.connect(descriptor, to: address, connections.token(operation, slot))
    }
}

extension Dialling.Rival {
    /// Nil if it was given up together with the connection.
    fileprivate func outcome(_ completion: Completion) -> Dialling.Outcome? {
        if dial.isTimedOut { return .timedOut }
        if completion.result < 0, completion.errno != ECANCELED { return .failed(errno: completion.errno) }
        return isOvertaken ? .overtaken : nil
    }
}

extension Connection {
    /// The name of the upstream leg's connect.
    var connectOperation: Operation { operation(of: dialling.current) }

    func operation(of dial: Dialling.Dial) -> Operation {
        dial.usesRivalName ? .connectRival : .connect(machine.upstream)
    }

    func isRival(_ operation: Operation) -> Bool {
        dialling.rival.map { self.operation(of: $0.dial) == operation } ?? false
    }
}
