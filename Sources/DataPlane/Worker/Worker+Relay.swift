import EventLoop
import Glibc
import System
import TLS

extension Worker {
    mutating func receiveCompleted(
        _ slot: Int32, _ leg: Leg, _ completion: Completion
    ) -> ConnectionMachine.Course {
        connections[slot].machine.received(leg)
        connections[slot][leg].holdsBytes = completion.more
        guard completion.result > 0 else {
            if completion.result == 0 { return finReceived(slot, leg) }
            switch completion.errno {
            case ENOBUFS, ECANCELED:
                // The plan re-arms it, if it is still wanted.
                return connections[slot].machine.course
            case let code:
                connections[slot].detail = connections[slot].detail ?? describe(code)
                if leg == .peer, mayRedial(slot) { return handshakeFailed(slot, .peerReset) }
                return connections[slot].machine.receiveFailed(leg)
            }
        }
        connections[slot].lastActivity = loop.now
        defer { loop.giveBack(completion.buffer) }
        // Safe: the lent bytes stay until the buffer is given back below, after their last use.
        let bytes = unsafe loop.bytes(of: completion)
        let span = unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: bytes.count)
        switch (connections[slot].machine.phase, leg) {
        case (.waiting, .peer):
            connections[slot].handshakeStartedAt = loop.now
            return openingReceived(slot, span)
        case (.handshaking, .peer):
            handshakeReceived(slot, span)
            return .goesOn
        // It was under way when the client's silence was taken for that of a client of plaintext.
        case (.dialling, .peer) where connections[slot].machine.isPlain: return copyBytes(slot, span, from: .peer)
        case (.relaying, _) where connections[slot].machine.isPlain: return copyBytes(slot, span, from: leg)
        case (.relaying, .peer), (.spare, .peer): return openRecords(slot, span)
        case (.relaying, .application): return sealBytes(slot, span)
        default: return discard(slot, bytes.count)
        }
    }

    mutating func sendCompleted(_ slot: Int32, _ leg: Leg, _ completion: Completion) -> ConnectionMachine.Course {
        guard completion.result >= 0 else {
            connections[slot][leg].queue.removeAll(&pool)
            if completion.errno != ECANCELED {
                connections[slot].detail = connections[slot].detail ?? describe(completion.errno)
            }
            return connections[slot].machine.sendFailed(leg)
        }
        connections[slot].lastActivity = loop.now
        let payload = UInt64(pool[connections[slot][leg].queue.head].payload)
        let isDone = connections[slot][leg].queue.advance(completion.result, &pool)
        switch leg {
        case .peer: if isDone { connections[slot][.peer].sentBytes += payload }
        case .application: connections[slot][.application].sentBytes += UInt64(completion.result)
        }
        connections[slot].machine.sent(isDone ? 1 : 0, on: leg)
        return connections[slot].machine.course
    }

    /// Decrypts bytes of the peer and forwards the plaintext.
    mutating func openRecords(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        var plaintext = output(buffer)
        let written = bytes.byteCount + (connections[slot].holdsPartialRecord ? TLSSession.recordBytes : 0)
        let outcome = connections[slot].open(bytes, into: &plaintext)
        let count = plaintext.byteCount
        connections[slot][.peer].receivedBytes += UInt64(count)
        // What was decrypted is forwarded even if the reply fails: the peer has sent it.
        let isAnswered = queueReplies(slot) == .goesOn
        let isForwarded = forward(buffer, count, behind: max(written - count, 0), slot) == .goesOn
        guard isAnswered, isForwarded else { return .isOver }
        switch outcome {
        case .open: return .goesOn
        case .closed:
            let course = connections[slot].machine.readEnded(.peer)
            guard connections[slot].machine.phase == .spare else { return course }
            leavePool(slot)
            return connections[slot].machine.retire()
        case .failed(let failure): return fail(slot, failure)
        }
    }

    /// Encrypts bytes of the application for the peer.
    mutating func sealBytes(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        // All of them, unless the peer's record limit is so low that the headers need more room than is left.
        let fitting = connections[slot].sealable(capacity: BufferPool.bufferBytes)
        let course = sealFitting(slot, bytes.extracting(0..<min(fitting, bytes.byteCount)))
        guard fitting < bytes.byteCount, course == .goesOn else { return course }
        return sealFitting(slot, bytes.extracting(fitting..<bytes.byteCount))
    }

    private mutating func sealFitting(_ slot: Int32, _ bytes: RawSpan) -> ConnectionMachine.Course {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        connections[slot][.application].receivedBytes += UInt64(bytes.byteCount)
        var output = output(buffer)
        let outcome = connections[slot].seal(bytes, into: &output)
        enqueue(buffer, output.byteCount, slot, .peer, payload: bytes.byteCount)
        if case .failed(let failure) = outcome { return fail(slot, failure) }
        return .goesOn
    }

    private mutating func fail(_ slot: Int32, _ failure: TLSFailure) -> ConnectionMachine.Course {
        connections[slot].code = failure.code
        connections[slot].detail = failure.detail
        return connections[slot].machine.end(.tlsFailure, lingering: true)
    }

    /// Encrypts one buffer of the built-in source.
    mutating func produce(_ slot: Int32) -> ConnectionMachine.Course {
        let stretch = sourceBytes
        let count = min(stretch.count, memory.receiveBytes(buffered: bufferedBytes))
        let bytes = unsafe stretch.span.bytes.extracting(0..<count)
        return connections[slot].machine.isPlain
            ? copyBytes(slot, bytes, from: .application) : sealBytes(slot, bytes)
    }

    mutating func queueCloseNotify(_ slot: Int32) -> ConnectionMachine.Course {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        var output = output(buffer)
        connections[slot].closeNotify(into: &output)
        enqueue(buffer, output.byteCount, slot, .peer)
        return .goesOn
    }

    /// Without a buffer the peer gets no alert, and sees FIN without close_notify.
    mutating func queueAlert(_ slot: Int32) {
        guard let buffer = pool.take() else { return }
        var output = output(buffer)
        connections[slot].abort(connections[slot].machine.reason?.abort ?? .userCanceled, into: &output)
        enqueue(buffer, output.byteCount, slot, .peer)
    }

    /// The fatal alert decode_error in a record of its own, for a client that TLS never saw.
    mutating func queuePlainAlert(_ slot: Int32) {
        guard let buffer = pool.take() else { return }
        var output = output(buffer)
        for byte in [21, 3, 3, 0, 2, 2, 50] as [UInt8] { output.append(byte) }
        enqueue(buffer, output.byteCount, slot, .peer)
    }

    // MARK: Buffers

    /// A lent buffer as a span to append to.
    @_lifetime(immortal)
    func output(_ buffer: Int32) -> OutputRawSpan {
        // Safe: the pool's memory outlives every use of the span, which ends before the buffer is queued or given back.
        let span = unsafe OutputRawSpan(buffer: pool.memory(buffer), initializedCount: 0)
        return unsafe _overrideLifetime(span, copying: ())
    }

    /// Puts a filled buffer into a leg's send queue, or gives it back if it is empty.
    ///
    /// - Parameters:
    ///   - behind: bytes that were written behind those and cut off.
    ///   - payload: how many bytes of plaintext the records carry; of the peer's leg.
    mutating func enqueue(
        _ buffer: Int32, _ count: Int, behind: Int = 0, _ slot: Int32, _ leg: Leg, payload: Int = 0
    ) {
        pool.filled(buffer, count, behind: behind)
        guard count > 0, !connections[slot].machine[leg].isWriteOver else { return pool.giveBack(buffer) }
        if payload > 0 { pool[buffer].payload = Int32(payload) }
        connections[slot][leg].queue.append(buffer, pool)
        connections[slot].machine.queued(1, on: leg)
    }

    // MARK: Private

    /// Forwards plaintext of the peer to the application or builtin.
    private mutating func forward(
        _ buffer: Int32, _ count: Int, behind: Int, _ slot: Int32
    ) -> ConnectionMachine.Course {
        var course = connections[slot].machine.course
        switch connections[slot].machine.application {
        case .socket: enqueue(buffer, count, behind: behind, slot, .application)
        case .discard, .source:
            pool.filled(buffer, count, behind: behind)
            pool.giveBack(buffer)
        case .echo:
            if count > 0 {
                // Safe: the buffer is given back after its last use below.
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: pool.memory(buffer)[..<count])
                course = sealBytes(slot, unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: count))
            }
            pool.filled(buffer, count, behind: behind)
            pool.giveBack(buffer)
        }
        return course
    }

    private mutating func queueReplies(_ slot: Int32) -> ConnectionMachine.Course {
        let count = exchange.replies.byteCount
        guard count > 0 else { return .goesOn }
        // Without this reply to a key update the peer could not decrypt what we seal next.
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        // Safe: replies are far smaller than a buffer, and no session is called before they are copied.
        let memory = unsafe pool.memory(buffer)
        unsafe exchange.replies.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        enqueue(buffer, count, slot, .peer)
        return .goesOn
    }

    private mutating func finReceived(_ slot: Int32, _ leg: Leg) -> ConnectionMachine.Course {
        switch (connections[slot].machine.phase, leg) {
        case (.relaying, .peer) where !connections[slot].machine.isPlain:
            return connections[slot].machine.peerTruncated()
        case (.spare, .peer): return connections[slot].machine.peerTruncated()
        case (.waiting, .peer), (.handshaking, .peer):
            connections[slot].code = "closed"
            connections[slot].detail = "the peer closed the connection during the handshake"
            guard connections[slot].machine.readEnded(.peer) == .goesOn else { return .isOver }
            return handshakeFailed(slot, .handshakeFailed)
        default: return connections[slot].machine.readEnded(leg)
        }
    }

    private mutating func discard(_ slot: Int32, _ count: Int) -> ConnectionMachine.Course {
        connections[slot].discardedBytes += count
        guard connections[slot].discardedBytes > Self.discardLimitBytes else { return connections[slot].machine.course }
        return connections[slot].machine.cut(.overloaded)
    }

    /// A refused client may send this much before we stop reading.
    private static var discardLimitBytes: Int { 256 * 1024 }
}
