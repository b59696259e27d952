import EventLoop
import Glibc
import Settings
import TLS

extension Worker {
    mutating func armAccept(_ index: Int) {
        guard !listeners[index].isAccepting, !listeners[index].isClosed, stage == .serving else { return }
        listeners[index].isAccepting = true
        loop.accept(listeners[index].descriptor, listenerToken(index))
    }

    private func listenerToken(_ index: Int) -> OperationToken {
        OperationToken(operation: Operation.accept.rawValue, generation: 0, slot: UInt32(index))
    }

    mutating func acceptCompleted(_ index: Int, _ completion: Completion) {
        if !completion.more { listeners[index].isAccepting = false }
        if completion.result >= 0 { accepted(completion.result, index) } else { acceptFailed(index, completion.errno) }
        if stage == .serving {
            if !listeners[index].isPaused { armAccept(index) }
        } else if !listeners[index].isAccepting {
            closeListener(index)
        }
    }

    /// Arms the accepts that stopped for want of a descriptor.
    mutating func resumeAccepting() {
        resumeAcceptAt = nil
        for index in listeners.indices where listeners[index].isPaused {
            listeners[index].isPaused = false
            armAccept(index)
        }
    }

    /// Stops accepting, lets connections finish until the drain time-out, then cuts them.
    public mutating func drain() {
        guard stage == .serving else { return }
        stage = .draining(deadline: loop.now &+ plan.limits.drainTimeoutNanoseconds)
        for index in listeners.indices {
            if listeners[index].isAccepting {
                loop.cancel(listeners[index].descriptor, listenerToken(index))
            } else {
                closeListener(index)
            }
        }
    }

    /// Ends a drain now.
    public mutating func cutAll() {
        drain()
        stage = .draining(deadline: .max)
        for slot in 0..<Int32(connections.touched) where connections.isLive(slot) {
            if !connections[slot].machine.isOver { cutConnections += 1 }
            connections[slot].machine.cut(.drained)
            advance(slot)
        }
    }

    // MARK: Private

    private mutating func accepted(_ descriptor: Int32, _ index: Int) {
        guard stage == .serving else { return loop.close(descriptor, reset: true) }
        // Without an address there is no client any more, and policy must not decide about an unknown source.
        guard let source = loop.peerAddress(of: descriptor) else { return loop.close(descriptor, reset: true) }
        accepted += 1
        let mode = listeners[index].plan.mode == .inbound ? ConnectionMachine.Mode.inbound : .outbound
        guard !connections.isFull else {
            loop.close(descriptor, reset: true)
            return emit(refusedRecord(listener: index, source: source, .connectionLimit))
        }
        let slot = connections.insert(
            Connection(mode, descriptor: descriptor, listener: index, source: source, now: loop.now))
        if mode == .outbound { beginOutbound(slot) }
        advance(slot)
    }

    private mutating func acceptFailed(_ index: Int, _ code: Int32) {
        switch code {
        case ECONNABORTED, ECANCELED, EINTR: break  // that connection's own end, or our cancel
        default:
            // EMFILE and its like, or what will not pass by itself: trying again at once would spin.
            listeners[index].isPaused = true
            resumeAcceptAt = loop.now + Self.acceptPauseNanoseconds
            guard loop.now >= nextAcceptTroubleAt else { return }
            acceptTrouble = code
            nextAcceptTroubleAt = loop.now + Self.acceptTroubleIntervalNanoseconds
        }
    }

    private mutating func beginOutbound(_ slot: Int32) {
        let listener = listeners[connections[slot].listener]
        let route = listener.plan.route(
            serverName: nil, applicationProtocol: nil, destinationPort: listener.address.port)
        guard let route else { return connections[slot].machine.end(.noRoute) }
        connections[slot].route = route
        dial(slot)
    }

    private mutating func closeListener(_ index: Int) {
        guard !listeners[index].isClosed else { return }
        listeners[index].isClosed = true
        loop.close(listeners[index].descriptor)
    }

    private static var acceptTroubleIntervalNanoseconds: UInt64 { 10_000_000_000 }
    private static var acceptPauseNanoseconds: UInt64 { 100_000_000 }
}
