import EventLoop
import Glibc
import Settings
import TLS

extension Worker {
    mutating func armAccept(_ index: Int) {
        guard !acceptors[index].isAccepting, !acceptors[index].isRetired, stage == .serving,
            listeners[acceptors[index].listener].service == .serving
        else { return }
        acceptors[index].isAccepting = true
        loop.accept(acceptors[index].descriptor, acceptorToken(index))
    }

    func acceptorToken(_ index: Int) -> OperationToken {
        OperationToken(operation: Operation.accept.rawValue, generation: 0, slot: UInt32(index))
    }

    mutating func acceptCompleted(_ index: Int, _ completion: Completion) {
        if !completion.more { acceptors[index].isAccepting = false }
        if completion.result >= 0 { accepted(completion.result, index) } else { acceptFailed(index, completion.errno) }
        if acceptors[index].isRetired {
            if !acceptors[index].isAccepting { closeAcceptor(index) }
        } else if !acceptors[index].isPaused {
            armAccept(index)
        }
    }

    /// Arms the accepts that stopped for want of a descriptor.
    mutating func resumeAccepting() {
        resumeAcceptAt = nil
        for index in acceptors.indices where acceptors[index].isPaused {
            acceptors[index].isPaused = false
            armAccept(index)
        }
    }

    /// Stops accepting, lets connections finish until the drain time-out, then cuts them.
    public mutating func drain() {
        guard stage == .serving else { return }
        stage = .draining(deadline: loop.now &+ limits.drainTimeoutNanoseconds)
        for index in acceptors.indices { retire(index) }
        // Who has said nothing yet has nothing to finish.
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            guard connections[slot].machine.phase == .waiting, !connections[slot].machine.holdsFlight else { continue }
            connections[slot].machine.cut(.drained)
            advance(slot)
        }
    }

    /// Closes the socket, once no accept is armed on it.
    mutating func retire(_ index: Int) {
        guard !acceptors[index].isRetired else { return }
        acceptors[index].isRetired = true
        if acceptors[index].isAccepting {
            loop.cancel(acceptors[index].descriptor, acceptorToken(index))
        } else {
            closeAcceptor(index)
        }
    }

    /// Ends a drain now.
    public mutating func cutAll() {
        drain()
        stage = .draining(deadline: .max)
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            // Of strangers nobody misses anything.
            if !connections[slot].machine.isOver, !connections[slot].countsAsStranger { cutConnections += 1 }
            connections[slot].machine.cut(.drained)
            advance(slot)
        }
    }

    // MARK: Private

    private mutating func accepted(_ descriptor: Int32, _ index: Int) {
        guard stage == .serving, !acceptors[index].isRetired else { return loop.close(descriptor, reset: true) }
        // Without an address there is no client any more, and policy must not decide about an unknown source.
        guard let source = loop.peerAddress(of: descriptor) else { return loop.close(descriptor, reset: true) }
        accepted += 1
        let listener = acceptors[index].listener
        let plan = listeners[listener].plan
        let mode = plan.mode == .inbound ? ConnectionMachine.Mode.inbound : .outbound
        if let reason = refusal(mode, Source(source), listener) {
            loop.close(descriptor, reset: true)
            return emit(refusedRecord(listener: listener, source: source, reason))
        }
        let slot = connections.insert(
            Connection(
                mode, descriptor: descriptor, listener: listener, plan,
                destinationPort: acceptors[index].address.port, source: source, now: loop.now))
        listeners[listener].connections += 1
        mostConnections = max(mostConnections, connections.count)
        connections[slot].agesAt = endOfAge(plan)
        if mode == .inbound {
            connections[slot].countsAsStranger = true
            strangers.add(Source(source))
            clients.add(Source(source))
        }
        if mode == .outbound { beginOutbound(slot) }
        advance(slot)
    }

    /// Why there is no place for one more connection from there; nil where there is, or is made.
    private mutating func refusal(
        _ mode: ConnectionMachine.Mode, _ source: Source, _ listener: Int
    ) -> CloseReason? {
        // The callers of an outbound listener are all of this host: they have one share together.
        if mode == .outbound,
            listeners[listener].connections >= Self.shareOfFree * (memory.connections - connections.count)
        {
            return .connectionLimit
        }
        if mode == .inbound, clients[source] >= share() {
            return makeRoom(for: source, amongItsOwn: true) ? nil : .sourceLimit
        }
        guard connections.count >= memory.connections else { return nil }
        return makeRoom(for: source) ? nil : .connectionLimit
    }

    /// How many inbound connections one source may have now: four times as many as places are free, so that the share of
    /// each shrinks as the table fills, and however many one of them wants, a fifth is left for others. Where there is no
    /// place at all, what is left of those who have not been admitted is looked through.
    private func share() -> Int {
        let free = memory.connections - connections.count
        guard free > 0 else { return limits.connectionsPerSource }
        return min(Self.shareOfFree * free, limits.connectionsPerSource)
    }

    /// Ends a connection whose client has not been admitted, of the source that has the most of them among those that are
    /// compared, and of those the one that has been silent longest; false where none has more than `source` would, or has been
    /// silent for long.
    ///
    /// - Parameter amongItsOwn: it has as many as one may have, and only one of those can go for another.
    private mutating func makeRoom(for source: Source, amongItsOwn: Bool = false) -> Bool {
        guard !connections.isFull else { return false }
        var chosen: (slot: Int32, strangers: Int, since: UInt64)?
        var compared = 0
        let slots = Int32(connections.touched)
        for _ in 0..<min(slots, Self.slotsLookedAt) where compared < Self.comparedStrangers {
            roomSlot = roomSlot + 1 < slots ? roomSlot + 1 : 0
            guard connections.isLive(roomSlot), connections[roomSlot].countsAsStranger,
                connections[roomSlot].machine.phase != .closing,
                !amongItsOwn || Source(connections[roomSlot].source) == source
            else { continue }
            compared += 1
            let count = strangers[Source(connections[roomSlot].source)]
            // Who waits for us is not silent.
            let since = connections[roomSlot].machine.holdsFlight ? loop.now : connections[roomSlot].lastActivity
            if let best = chosen, (best.strangers, since) >= (count, best.since) { continue }
            chosen = (roomSlot, count, since)
        }
        guard let chosen,
            chosen.strangers > strangers[source] + 1 || chosen.since + patience(chosen.slot) < loop.now
        else { return false }
        leaveHandshake(chosen.slot)
        connections[chosen.slot].detail =
            connections[chosen.slot].detail ?? "gave its place to another client"
        connections[chosen.slot].machine.cut(.connectionLimit)
        advance(chosen.slot)
        return true
    }

    /// How long a stranger may be silent where the table is full: a ClientHello comes right behind the connection.
    private func patience(_ slot: Int32) -> UInt64 {
        let isMute = connections[slot].machine.phase == .waiting && !connections[slot].machine.holdsFlight
        return isMute ? limits.turnPatienceNanoseconds / 4 : limits.turnPatienceNanoseconds
    }

    /// Its client has been admitted, or it has ended.
    mutating func leaveStrangers(_ slot: Int32) {
        guard connections[slot].countsAsStranger else { return }
        connections[slot].countsAsStranger = false
        strangers.remove(Source(connections[slot].source))
    }

    private mutating func acceptFailed(_ index: Int, _ code: Int32) {
        switch code {
        case ECONNABORTED, ECANCELED, EINTR: break  // that connection's own end, or our cancel
        default:
            // EMFILE and its like, or what will not pass by itself: trying again at once would spin.
            acceptors[index].isPaused = true
            resumeAcceptAt = loop.now + Self.acceptPauseNanoseconds
            guard loop.now >= nextAcceptTroubleAt else { return }
            acceptTrouble = code
            nextAcceptTroubleAt = loop.now + Self.acceptTroubleIntervalNanoseconds
        }
    }

    private mutating func beginOutbound(_ slot: Int32) {
        let route = connections[slot].plan.route(
            serverName: nil, applicationProtocol: nil, destinationPort: connections[slot].destinationPort)
        guard let route else { return connections[slot].machine.end(.noRoute) }
        connections[slot].route = route
        dial(slot)
    }

    private mutating func closeAcceptor(_ index: Int) {
        guard !acceptors[index].isClosed else { return }
        acceptors[index].isClosed = true
        loop.close(acceptors[index].descriptor)
    }

    private static var acceptTroubleIntervalNanoseconds: UInt64 { 10_000_000_000 }
    private static var shareOfFree: Int { 4 }
    private static var comparedStrangers: Int { 64 }
    /// Where most are admitted, so that one accept costs no more than this; the next one looks on from there.
    private static var slotsLookedAt: Int32 { 1_024 }
    private static var acceptPauseNanoseconds: UInt64 { 100_000_000 }
}
