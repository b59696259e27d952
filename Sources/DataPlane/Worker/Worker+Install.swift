import EventLoop
import Settings
import TLS

/// What changes while the worker runs: settings, identity, trust.
extension Worker {
    /// Switches to `update`, and rechecks every admitted connection, a slice per step.
    ///
    /// Connections that would be refused now are closed; all others continue undisturbed.
    public mutating func install(_ update: WorkerUpdate) {
        limits = update.limits
        mark = update.mark
        ownSockets = update.ownSockets
        plaintextCounts = update.plaintextCounts
        watchesFlows = update.listeners.contains { $0.plan.transparency != .off }
        handshakes.limit = limits.concurrentHandshakes
        handshakes.patienceNanoseconds = limits.turnPatienceNanoseconds
        let states = placeListeners(update.listeners)
        placeAcceptors(update.acceptors, states)
        let hasSource = update.listeners.contains { $0.plan.routes.contains { $0.builtin == .source } }
        if hasSource, sourceBytes.isEmpty {
            sourceBytes = (0..<Self.sourceStretchBytes).map { UInt8(truncatingIfNeeded: $0) }
        }
        // Of another list, some endpoint may have room.
        hasRoomAtEndpoints = true
        retireOutdatedSpares()
        beginSweep()
    }

    /// Puts each listener into the state of its name and mode, or into a free one; returns their indices.
    private mutating func placeListeners(_ updates: [ListenerUpdate]) -> [Int] {
        let now = loop.now
        var unplaced = Set(listeners.indices)
        var states = updates.map { update in
            let index = listeners.firstIndex {
                $0.service != .removed && $0.plan.name == update.plan.name && $0.plan.mode == update.plan.mode
            }
            if let index { unplaced.remove(index) }
            return index
        }
        for index in unplaced { listeners[index].service = .removed }
        for (number, update) in updates.enumerated() {
            if let index = states[number] {
                listeners[index].take(update, now: now, numbers: &routeNumbers)
            } else if let index = listeners.firstIndex(where: { $0.service == .removed && $0.connections == 0 }) {
                listeners[index] = ListenerState(update, now: now, numbers: &routeNumbers)
                states[number] = index
            } else {
                listeners.append(ListenerState(update, now: now, numbers: &routeNumbers))
                states[number] = listeners.count - 1
            }
        }
        return states.compactMap(\.self)
    }

    private mutating func placeAcceptors(_ updates: [AcceptorUpdate], _ states: [Int]) {
        let keys = Set(updates.map(\.key))
        for index in acceptors.indices where !acceptors[index].isClosed && !keys.contains(acceptors[index].key) {
            // Its listener's state may soon be another one's.
            retire(index, servingLast: false)
        }
        for update in updates {
            let listener = states[update.listener]
            if let index = acceptors.firstIndex(where: { $0.key == update.key && !$0.isRetired }) {
                acceptors[index].listener = listener
            } else if let descriptor = update.descriptor {
                place(
                    Acceptor(
                        key: update.key, descriptor: descriptor, address: update.address, queue: update.queue,
                        listener: listener))
            }
        }
        for index in acceptors.indices {
            if mayAccept(index) { armAcceptIfServing(index) } else { retire(index, servingLast: true) }
        }
    }

    private mutating func place(_ acceptor: Acceptor) {
        // An armed accept may still complete.
        if let free = acceptors.firstIndex(where: { $0.isClosed && !$0.isAccepting }) {
            acceptors[free] = acceptor
        } else {
            acceptors.append(acceptor)
        }
    }

    /// Arms accept if the listener is serving; otherwise clients wait in the kernel's backlog.
    private mutating func armAcceptIfServing(_ index: Int) {
        guard !acceptors[index].isRetired else { return }
        if listeners[acceptors[index].listener].service == .serving {
            armAccept(index)
        } else if acceptors[index].isAccepting {
            loop.cancel(acceptors[index].descriptor, acceptorToken(index))
        }
    }
}
