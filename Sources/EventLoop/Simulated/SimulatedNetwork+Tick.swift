import Glibc
import System

/// The outcomes of operations.
extension SimulatedNetwork {
    /// Completes some of what is ready, at least one; where nothing is, time passes instead.
    func tick(timeoutNanoseconds: UInt64) -> Int {
        precondition(lentBuffers == 0, "a lent buffer was not given back before the next tick")
        completions.removeAll()
        // The owner's work takes time too.
        now += UInt64(1 + random.below(1000))
        if wakes > 0 {
            wakes = 0
            completions.append(Completion(token: .wake, result: 8))
        }
        var ready = pending.indices.filter { isDue($0) }
        if ready.isEmpty && completions.count == 0 {
            wait(timeoutNanoseconds)
            return 0
        }
        if random.chance(faults.reordered) { random.shuffle(&ready) }
        for index in ready {
            if completions.count > 0 && random.chance(faults.passedOver) { continue }
            guard completions.count < Self.completionsATick else { break }
            complete(index)
        }
        pending.removeAll { $0.completed }
        return completions.count
    }

    /// Time passes while nothing happens: tests of deadlines call it.
    public func advance(nanoseconds: UInt64) {
        now += nanoseconds
    }

    /// Makes the next tick bring ``OperationToken/wake``, as ``Wake/signal()`` would.
    public func wake() {
        wakes += 1
    }

    private func wait(_ timeoutNanoseconds: UInt64) {
        guard timeoutNanoseconds > 0 else { return }
        if random.chance(faults.clockJumps) {
            now += min(timeoutNanoseconds, Self.longestJumpNanoseconds)
            wallOffset += Int64(random.below(120)) * 1_000_000_000 - 60_000_000_000
            return
        }
        now += 1 + UInt64(random.below(Int(min(timeoutNanoseconds, Self.longestStepNanoseconds))))
    }

    // MARK: Readiness

    private func isDue(_ index: Int) -> Bool {
        let operation = pending[index]
        if operation.cancelled { return true }
        guard isReady(operation) else { return false }
        guard let heldUntil = operation.heldUntil else {
            let held = random.chance(faults.heldBack)
            let until = held ? now + UInt64(random.below(Int(faults.longestHoldNanoseconds) + 1)) : now
            pending[index].heldUntil = until
            return !held
        }
        return heldUntil <= now
    }

    private func isReady(_ operation: SimulatedOperation) -> Bool {
        switch operation.kind {
        case .accept(let listener, _): !listener.isEmpty
        case .receive(let connection, let side): connection.isReadable(side)
        case .send(let connection, let side, _, _): connection.isWritable(side)
        case .connect(let address, let fate):
            switch fate {
            case .refused: true
            case .hangs: false
            case .asTheListenerSays: dialResult(address) != nil
            }
        }
    }

    /// The result of a dial to the address; nil if it hangs.
    private func dialResult(_ address: SocketAddress) -> Int32? {
        if let backend = backends[address] {
            switch backend.behaviour {
            case .accepts: return backend.listener.isFull ? nil : 0
            case .refuses: return 0 - ECONNREFUSED
            case .hangs: return nil
            }
        }
        guard let listener = listeners[address] else { return 0 - ECONNREFUSED }
        return listener.isFull ? nil : 0
    }

    // MARK: Completion

    private func complete(_ index: Int) {
        let operation = pending[index]
        if operation.cancelled, !isReady(operation) || !random.chance(faults.lateCancels) {
            checkBytes(operation)
            end(index, 0 - ECANCELED)
            return
        }
        // An operation that was ready when the tick began may have lost what it waited for to another one.
        guard isReady(operation) else { return }
        switch operation.kind {
        case .accept(let listener, let isShared): completeAccept(index, listener, isShared)
        case .receive(let connection, let side): completeReceive(index, connection, side)
        case .send(let connection, let side, let bytes, _):
            checkBytes(operation)
            // Safe: the owner keeps the bytes until the completion, and they are as they were.
            unsafe completeSend(index, connection, side, bytes)
        case .connect(let address, let fate): completeConnect(index, address, fate)
        }
    }

    private func completeAccept(_ index: Int, _ listener: SimulatedListener, _ isShared: Bool) {
        let token = pending[index].token
        while !listener.isEmpty, completions.count < Self.completionsATick {
            if random.chance(faults.failedAccepts) || isToFail() { return end(index, 0 - faults.acceptErrno) }
            let descriptor = open(.socket)
            guard descriptor >= 0 else { return end(index, descriptor) }
            become(.stream(listener.removeFirst(), .acceptor), descriptor)
            if isShared || random.chance(faults.endedAccepts) { return end(index, descriptor) }
            completions.append(Completion(token: token, result: descriptor, more: true))
            if random.chance(faults.passedOver) { break }
        }
        // The next connection may be held back anew.
        pending[index].heldUntil = nil
    }

    private func completeReceive(
        _ index: Int, _ connection: SimulatedConnection, _ side: SimulatedConnection.Side
    ) {
        if random.chance(faults.resets) || isToFail() { connection.breakDown() }
        guard !random.chance(faults.receiveWithoutBuffers), let buffer = free.take() else {
            return end(index, 0 - ENOBUFS)
        }
        var limit = buffers.receiveBytes
        let unread = connection.unread(side)
        if unread > 1 && random.chance(faults.shortReads) { limit = 1 + random.below(min(limit, unread)) }
        // Safe: the buffer is free, and at least `limit` bytes long.
        let received = unsafe connection.read(
            side, into: UnsafeMutableRawBufferPointer(start: buffers.pointer(buffer), count: limit))
        if received > 0 { buffers.lend(buffer) } else { free.put(buffer) }
        end(index, Int32(received), buffer: received > 0 ? buffer : -1)
    }

    private func completeSend(
        _ index: Int, _ connection: SimulatedConnection, _ side: SimulatedConnection.Side,
        _ bytes: UnsafeRawBufferPointer
    ) {
        if random.chance(faults.resets) || isToFail() { connection.breakDown() }
        var count = bytes.count
        if count > 1 && random.chance(faults.shortWrites) { count = 1 + random.below(count) }
        // Safe: `count` is within the bytes, which their owner keeps until the completion.
        end(index, Int32(unsafe connection.write(side, UnsafeRawBufferPointer(rebasing: bytes[..<count]))))
    }

    private func completeConnect(_ index: Int, _ address: SocketAddress, _ fate: SimulatedOperation.DialFate) {
        let descriptor = pending[index].descriptor
        guard fate == .asTheListenerSays, let result = dialResult(address), result == 0 else {
            return end(index, 0 - ECONNREFUSED)
        }
        let connection = makeConnection(from: nextLocalAddress(towards: address), to: address)
        (backends[address]?.listener ?? listeners[address])?.append(connection)
        become(.stream(connection, .dialler), descriptor)
        end(index, 0)
    }

    private func checkBytes(_ operation: SimulatedOperation) {
        guard case .send(_, _, let bytes, let checksum) = operation.kind else { return }
        // Safe: the owner keeps the bytes until the completion; this is the check that it does.
        precondition(unsafe SimulatedOperation.checksum(bytes) == checksum, "a send's bytes changed under it")
    }

    private func end(_ index: Int, _ result: Int32, buffer: Int32 = -1) {
        completions.append(Completion(token: pending[index].token, result: result, buffer: buffer))
        pending[index].completed = true
    }

    private static let longestStepNanoseconds: UInt64 = 10_000_000
    private static let longestJumpNanoseconds: UInt64 = 24 * 3_600_000_000_000
}
