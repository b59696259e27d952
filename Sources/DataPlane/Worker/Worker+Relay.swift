import EventLoop
import Glibc
import System
import TLS

extension Worker {
    mutating func receiveCompleted(_ slot: Int32, _ leg: Leg, _ completion: Completion) {
        connections[slot].machine.received(leg)
        if leg == .peer {
            connections[slot].peerHoldsBytes = completion.more
        } else {
            connections[slot].applicationHoldsBytes = completion.more
        }
        guard completion.result > 0 else {
            if completion.result == 0 { return finReceived(slot, leg) }
            switch completion.errno {
            case ENOBUFS, ECANCELED: return  // the plan arms it again, if it is still wanted
            case let code:
                connections[slot].detail = connections[slot].detail ?? describe(code)
                leaveHandshake(slot)
                return connections[slot].machine.receiveFailed(leg)
            }
        }
        connections[slot].lastActivity = loop.now
        // Safe: the lent bytes stay until the buffer is given back below, after their last use.
        let bytes = unsafe loop.bytes(of: completion)
        let span = unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: bytes.count)
        switch (connections[slot].machine.phase, leg) {
        case (.waiting, .peer):
            connections[slot].handshakeStartedAt = loop.now
            firstFlightReceived(slot, span)
        case (.handshaking, .peer): handshakeReceived(slot, span)
        case (.relaying, .peer): openRecords(slot, span)
        case (.relaying, .application): sealBytes(slot, span)
        default: discard(slot, bytes.count)
        }
        loop.giveBack(completion.buffer)
    }

    mutating func sendCompleted(_ slot: Int32, _ leg: Leg, _ completion: Completion) {
        guard completion.result >= 0 else {
            if leg == .peer {
                connections[slot].peerQueue.removeAll(&pool)
            } else {
                connections[slot].applicationQueue.removeAll(&pool)
            }
            if completion.errno != ECANCELED {
                connections[slot].detail = connections[slot].detail ?? describe(completion.errno)
            }
            return connections[slot].machine.sendFailed(leg)
        }
        connections[slot].lastActivity = loop.now
        let isDone: Bool
        if leg == .peer {
            let payload = pool[connections[slot].peerQueue.head].payload
            isDone = connections[slot].peerQueue.advance(completion.result, &pool)
            if isDone { connections[slot].bytesToPeer += UInt64(payload) }
        } else {
            connections[slot].bytesToApplication += UInt64(completion.result)
            isDone = connections[slot].applicationQueue.advance(completion.result, &pool)
        }
        connections[slot].machine.sent(isDone ? 1 : 0, on: leg)
    }

    /// Decrypts bytes of the peer and passes the plaintext on.
    mutating func openRecords(_ slot: Int32, _ bytes: RawSpan) {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        var plaintext = output(buffer)
        let written = bytes.byteCount + (connections[slot].holdsPartialRecord ? TLSSession.recordBytes : 0)
        let outcome = connections[slot].open(bytes, into: &plaintext)
        let count = plaintext.byteCount
        connections[slot].bytesFromPeer += UInt64(count)
        queueReplies(slot)
        forward(buffer, count, behind: max(written - count, 0), slot)
        switch outcome {
        case .open: break
        case .closed: connections[slot].machine.readEnded(.peer)
        case .failed(let failure):
            connections[slot].code = failure.code
            connections[slot].detail = failure.detail
            connections[slot].machine.end(.tlsFailure, lingering: true)
        }
    }

    /// Encrypts bytes of the application for the peer.
    mutating func sealBytes(_ slot: Int32, _ bytes: RawSpan) {
        // All of them, unless records are to be so short that their headers need more room than is left for them.
        let fitting = connections[slot].sealable(capacity: BufferPool.bufferBytes)
        sealFitting(slot, bytes.extracting(0..<min(fitting, bytes.byteCount)))
        guard fitting < bytes.byteCount, connections[slot].machine.phase == .relaying else { return }
        sealFitting(slot, bytes.extracting(fitting..<bytes.byteCount))
    }

    private mutating func sealFitting(_ slot: Int32, _ bytes: RawSpan) {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        connections[slot].bytesFromApplication += UInt64(bytes.byteCount)
        var output = output(buffer)
        let outcome = connections[slot].seal(bytes, into: &output)
        enqueue(buffer, output.byteCount, slot, .peer, payload: bytes.byteCount)
        if case .failed(let failure) = outcome {
            connections[slot].code = failure.code
            connections[slot].detail = failure.detail
            connections[slot].machine.end(.tlsFailure, lingering: true)
        }
    }

    /// Seals a stretch of the built-in source.
    mutating func produce(_ slot: Int32) {
        let stretch = sourceBytes
        let count = min(stretch.count, memory.receiveBytes(buffered: bufferedBytes))
        unsafe sealBytes(slot, stretch.span.bytes.extracting(0..<count))
    }

    mutating func queueCloseNotify(_ slot: Int32) {
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        var output = output(buffer)
        connections[slot].closeNotify(into: &output)
        enqueue(buffer, output.byteCount, slot, .peer)
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

    /// A lent buffer as something to append to.
    @_lifetime(immortal)
    func output(_ buffer: Int32) -> OutputRawSpan {
        // Safe: the pool's memory outlives every use of the span, which ends before the buffer is queued or given back.
        let span = unsafe OutputRawSpan(buffer: pool.memory(buffer), initializedCount: 0)
        return unsafe _overrideLifetime(span, copying: ())
    }

    /// Puts a filled buffer into a leg's send queue, or gives it back where it is empty.
    ///
    /// - Parameters:
    ///   - behind: bytes that were written behind those and cut off.
    ///   - payload: how many bytes of plaintext the records carry; of the peer's leg.
    mutating func enqueue(
        _ buffer: Int32, _ count: Int, behind: Int = 0, _ slot: Int32, _ leg: Leg, payload: Int = 0
    ) {
        pool.filled(buffer, count, behind: behind)
        guard count > 0, !connections[slot].machine[leg].isWriteOver else { return pool.giveBack(buffer) }
        if leg == .peer {
            if payload > 0 { pool[buffer].payload = Int32(payload) }
            connections[slot].peerQueue.append(buffer, pool)
        } else {
            connections[slot].applicationQueue.append(buffer, pool)
        }
        connections[slot].machine.queued(1, on: leg)
    }

    // MARK: Private

    /// Passes plaintext of the peer to what stands for the application.
    private mutating func forward(_ buffer: Int32, _ count: Int, behind: Int, _ slot: Int32) {
        switch connections[slot].machine.application {
        case .socket: enqueue(buffer, count, behind: behind, slot, .application)
        case .discard, .source:
            pool.filled(buffer, count, behind: behind)
            pool.giveBack(buffer)
        case .echo:
            if count > 0 {
                // Safe: the buffer is given back after its last use below.
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: pool.memory(buffer)[..<count])
                sealBytes(slot, unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: count))
            }
            pool.filled(buffer, count, behind: behind)
            pool.giveBack(buffer)
        }
    }

    private mutating func queueReplies(_ slot: Int32) {
        let count = exchange.replies.byteCount
        guard count > 0 else { return }
        // Without this answer to a key update the peer could not read what we seal next.
        guard let buffer = pool.take() else { return connections[slot].machine.end(.overloaded) }
        // Safe: replies are far smaller than a buffer, and no session is called before they are copied.
        let memory = unsafe pool.memory(buffer)
        unsafe exchange.replies.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        enqueue(buffer, count, slot, .peer)
    }

    private mutating func finReceived(_ slot: Int32, _ leg: Leg) {
        switch (connections[slot].machine.phase, leg) {
        case (.relaying, .peer): connections[slot].machine.peerTruncated()
        case (.waiting, .peer), (.handshaking, .peer):
            connections[slot].code = "closed"
            connections[slot].detail = "the peer closed the connection during the handshake"
            leaveHandshake(slot)
            connections[slot].machine.readEnded(.peer)
            connections[slot].machine.end(.handshakeFailed)
        default: connections[slot].machine.readEnded(leg)
        }
    }

    private mutating func discard(_ slot: Int32, _ count: Int) {
        connections[slot].discardedBytes += count
        guard connections[slot].discardedBytes > Self.discardLimitBytes else { return }
        connections[slot].machine.cut(.overloaded)
    }

    /// A refused client may send this much before we stop listening to it.
    private static var discardLimitBytes: Int { 256 * 1024 }
}
