import EventLoop
import Glibc
import Policy
import Settings
import System
import TLS

extension Worker {
    mutating func armAccept(_ index: Int) {
        guard !acceptors[index].isAccepting, !acceptors[index].isRetired, mayAccept(index),
            listeners[acceptors[index].listener].service == .serving
        else { return }
        acceptors[index].isAccepting = true
        loop.accept(
            acceptors[index].descriptor, acceptorToken(index), isShared: acceptors[index].queue != .ofWorker)
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

    /// Re-arms the accepts that paused for lack of a descriptor.
    mutating func resumeAccepting() {
        resumeAcceptAt = nil
        for index in acceptors.indices where acceptors[index].isPaused {
            acceptors[index].isPaused = false
            armAccept(index)
        }
    }

    /// Closes the socket, once no accept is armed on it.
    ///
    /// - Parameter servingLast: whether connections that clients have made until then are served, not reset.
    mutating func retire(_ index: Int, servingLast: Bool) {
        guard !acceptors[index].isRetired else { return }
        acceptors[index].isRetired = true
        acceptors[index].servesLast = servingLast
        if servingLast, acceptors[index].queue == .ofWorker { loop.stopQueueing(acceptors[index].descriptor) }
        if acceptors[index].isAccepting {
            loop.cancel(acceptors[index].descriptor, acceptorToken(index))
        } else {
            closeAcceptor(index)
        }
    }

    // MARK: Private

    private mutating func accepted(_ descriptor: Int32, _ index: Int) {
        guard !acceptors[index].isRetired || acceptors[index].servesLast else {
            return loop.close(descriptor, reset: true)
        }
        // Without an address the client is gone, and policy must not decide on an unknown source.
        guard let source = loop.peerAddress(of: descriptor) else { return loop.close(descriptor, reset: true) }
        accepted += 1
        let listener = acceptors[index].listener
        listeners[listener].opened += 1
        let plan = listeners[listener].plan
        let mode = plan.mode == .inbound ? ConnectionMachine.Mode.inbound : .outbound
        let caller = source.isUnix ? loop.localCaller(of: descriptor) : nil
        if let objection = plan.objection(to: caller) {
            loop.close(descriptor, reset: true)
            return emit(refusedRecord(listener: listener, source: source, .policyDenied, caller, objection))
        }
        let isBalancer = isBalancer(source, listener)
        if let reason = isBalancer ? refusalOfBalancer(source) : refusal(mode, Source(source), listener) {
            loop.close(descriptor, reset: true)
            return emit(refusedRecord(listener: listener, source: source, reason))
        }
        let bound = acceptors[index].address
        var destination: SocketAddress?
        if plan.transparency != .off {
            switch arrival(of: descriptor, from: source, at: bound, plan) {
            case .wants(let address): destination = address
            case .refused(let reason, let address, let detail):
                loop.close(descriptor, reset: true)
                return emit(
                    refusedRecord(listener: listener, source: source, reason, destination: address, detail))
            }
        }
        let slot = connections.insert(
            Connection(
                mode, id: connectionID, descriptor: descriptor, listener: listener, plan,
                destinationPort: destination?.port ?? bound.port, destination: destination, source: source,
                now: loop.now))
        listeners[listener].connections += 1
        mostConnections = max(mostConnections, connections.count)
        connections[slot].caller = caller
        connections[slot].agesAt = endOfAge(plan)
        if mode == .inbound {
            countAsStranger(slot)
            inboundConnections += 1
            if isBalancer { connections[slot].opening = .proxyHeader }
        }
        if let course = begin(slot) { advance(slot, after: course) }
    }

    /// A load balancer has no share of its own: those of its clients count once it has named them.
    private mutating func refusalOfBalancer(_ source: SocketAddress) -> CloseReason? {
        connections.count < memory.connections || makeRoom(for: Source(source), overdueOnly: true)
            ? nil : .connectionLimit
    }

    /// Takes the address that the load balancer names for the client's; the connection ends if that client has too
    /// many.
    mutating func takeSource(_ slot: Int32, _ source: SocketAddress) -> ConnectionMachine.Course {
        leaveStrangers(slot)
        clients.remove(Source(connections[slot].source))
        connections[slot].balancer = connections[slot].source
        connections[slot].source = source
        let reason = refusal(.inbound, Source(source), connections[slot].listener)
        countAsStranger(slot)
        return reason.map { connections[slot].machine.end($0) } ?? .goesOn
    }

    private mutating func countAsStranger(_ slot: Int32) {
        connections[slot].countsAsStranger = true
        strangers.add(Source(connections[slot].source))
        clients.add(Source(connections[slot].source))
    }

    /// Why there is no room for one more connection from this source; nil if there is, or room was made.
    ///
    /// A source may have four times as many connections as there are free slots, so that its share shrinks as the table
    /// fills, and one source always leaves a fifth for others. The callers of outbound listeners are all on this host:
    /// those of one listener together, and all of them together, have such a share.
    private mutating func refusal(
        _ mode: ConnectionMachine.Mode, _ source: Source, _ listener: Int
    ) -> CloseReason? {
        let share = Self.shareOfFree * (memory.connections - connections.count)
        guard mode == .inbound else {
            let callers = connections.count - inboundConnections
            return max(listeners[listener].connections, callers) < share || makeRoom(for: source, overdueOnly: true)
                ? nil : .connectionLimit
        }
        let count = clients[source]
        guard count < limits.connectionsPerSource else {
            return makeRoom(for: source, amongItsOwn: true) ? nil : .sourceLimit
        }
        if count < share { return nil }
        let isModest = count < memory.connections / (Self.shareOfFree + 1) * Self.shareOfFree || count == 0
        if isModest, makeRoom(for: source) { return nil }
        if makeRoom(for: source, amongItsOwn: true) { return nil }
        return share > 0 ? .sourceLimit : .connectionLimit
    }

    /// Ends a connection whose client is not admitted yet. Among those compared it picks the longest silent one that is
    /// overdue; else one of the source that has the most, if that is more than `source` would have. False if there is
    /// none.
    ///
    /// - Parameters:
    ///   - amongItsOwn: the source has reached its limit, so only one of its own can go.
    ///   - overdueOnly: only an overdue one goes, none because its source has many.
    private mutating func makeRoom(
        for source: Source, amongItsOwn: Bool = false, overdueOnly: Bool = false
    ) -> Bool {
        guard !connections.isFull else { return false }
        var overdue: (slot: Int32, since: UInt64)?
        var most: (slot: Int32, strangers: Int)?
        var compared = 0
        let slots = Int32(connections.touched)
        for _ in 0..<min(slots, Self.slotsLookedAt) where compared < Self.comparedStrangers {
            roomSlot = roomSlot + 1 < slots ? roomSlot + 1 : 0
            guard connections.isLive(roomSlot), connections[roomSlot].countsAsStranger,
                connections[roomSlot].machine.phase != .closing,
                !amongItsOwn || Source(connections[roomSlot].source) == source
            else { continue }
            compared += 1
            let since = silentSince(roomSlot)
            if since + patience(roomSlot) < loop.now, since < overdue?.since ?? .max { overdue = (roomSlot, since) }
            let count = strangers[Source(connections[roomSlot].source)]
            if count > most?.strangers ?? 0 { most = (roomSlot, count) }
        }
        let greedy = most.flatMap { !overdueOnly && $0.strangers > strangers[source] + 1 ? $0.slot : nil }
        guard let slot = overdue?.slot ?? greedy else { return false }
        endStranger(slot, .connectionLimit, "gave its place to another client")
        return true
    }

    private mutating func endStranger(_ slot: Int32, _ reason: CloseReason, _ detail: String) {
        connections[slot].detail = connections[slot].detail ?? detail
        advance(slot, after: connections[slot].machine.cut(reason))
    }

    /// Since when a stranger has owed its next flight; trickled bytes change nothing.
    private func silentSince(_ slot: Int32) -> UInt64 {
        // A client that waits for us is not silent.
        if connections[slot].machine.holdsFlight { return loop.now }
        return max(connections[slot].acceptedAt, connections[slot].silentSince)
    }

    /// How long a stranger may be silent when the table is full: a ClientHello follows the connection at once.
    private func patience(_ slot: Int32) -> UInt64 {
        let isMute = !connections[slot].isAnswered && !connections[slot].machine.holdsFlight
        return isMute ? limits.turnPatienceNanoseconds / 8 : limits.turnPatienceNanoseconds
    }

    /// In a drain: ends strangers that have been silent for long, which have nothing to finish.
    mutating func endSilentStrangers() {
        nextStrangerCheckAt = loop.now + limits.turnPatienceNanoseconds / 4
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            guard connections[slot].countsAsStranger, connections[slot].machine.phase != .closing,
                silentSince(slot) + limits.turnPatienceNanoseconds < loop.now
            else { continue }
            endStranger(slot, .drained, "silent, and not admitted")
        }
    }

    /// Its client was admitted, or it has ended.
    mutating func leaveStrangers(_ slot: Int32) {
        guard connections[slot].countsAsStranger else { return }
        connections[slot].countsAsStranger = false
        strangers.remove(Source(connections[slot].source))
    }

    private mutating func acceptFailed(_ index: Int, _ code: Int32) {
        switch code {
        case ECONNABORTED, ECANCELED, EINTR: break  // that connection's own end, or our cancel
        default:
            // EMFILE and the like, or an error that persists: retrying at once would spin.
            acceptors[index].isPaused = true
            resumeAcceptAt = loop.now + Self.acceptPauseNanoseconds
            guard loop.now >= nextAcceptTroubleAt else { return }
            acceptTrouble = code
            nextAcceptTroubleAt = loop.now + Self.acceptTroubleIntervalNanoseconds
        }
    }

    /// Nil if a spare connection has taken over, and the slot is free.
    private mutating func begin(_ slot: Int32) -> ConnectionMachine.Course? {
        guard connections[slot].machine.mode == .inbound else { return beginOutbound(slot) }
        return connections[slot].opening == .proxyHeader ? .goesOn : expectClient(slot)
    }

    private mutating func beginOutbound(_ slot: Int32) -> ConnectionMachine.Course? {
        let route = connections[slot].plan.route(of: connections[slot])
        guard let route else { return passThrough(slot) ?? connections[slot].machine.end(.noRoute) }
        connections[slot].route = route
        return handToSpare(slot) ? nil : dial(slot)
    }

    private mutating func closeAcceptor(_ index: Int) {
        guard !acceptors[index].isClosed else { return }
        if acceptors[index].servesLast, acceptors[index].queue != .inherited,
            listeners[acceptors[index].listener].service == .serving
        {
            acceptQueued(index)
        }
        acceptors[index].isClosed = true
        loop.close(acceptors[index].descriptor)
    }

    /// Accepts what would be reset by the close.
    private mutating func acceptQueued(_ index: Int) {
        for _ in 0..<Self.queuedAtMost {
            let descriptor = loop.acceptQueued(acceptors[index].descriptor)
            if descriptor >= 0 {
                accepted(descriptor, index)
            } else if descriptor != 0 - ECONNABORTED {
                return
            }
        }
    }

    /// The length of a queue.
    private static var queuedAtMost: Int { 4_096 }
    private static var acceptTroubleIntervalNanoseconds: UInt64 { 10_000_000_000 }
    private static var shareOfFree: Int { 4 }
    private static var comparedStrangers: Int { 64 }
    /// Bounds the cost of one accept when most connections are admitted; the next one continues from there.
    private static var slotsLookedAt: Int32 { 1_024 }
    private static var acceptPauseNanoseconds: UInt64 { 100_000_000 }
}
