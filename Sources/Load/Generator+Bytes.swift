import EventLoop
import Glibc
import System
import TLS

/// Bytes in, bytes out.
extension Generator {
    /// Starts every operation that the client can start now.
    mutating func pump(_ slot: Int32) {
        switch clients[slot].phase {
        case .resting, .connecting, .ending: return
        case .handshaking, .serving, .closing: break
        }
        if !clients[slot].sendInFlight { startSend(slot) }
        guard clients[slot].phase != .resting, clients[slot].phase != .ending, !clients[slot].receiveInFlight,
            Int(clients[slot].outEnd) + SendBuffers.answerBytes <= SendBuffers.bufferBytes
        else { return }
        clients[slot].receiveInFlight = true
        loop.receive(clients[slot].descriptor, clients.token(.receive, slot))
    }

    mutating func sendCompleted(_ slot: Int32, _ completion: Completion) {
        clients[slot].sendInFlight = false
        guard clients[slot].phase != .ending else { return finishEnding(slot) }
        guard completion.result >= 0 else { return streamFailed(slot, completion.errno) }
        clients[slot].lastActivity = loop.now
        let count = Int(completion.result)
        if clients[slot].sendsPattern {
            clients[slot].sendsPattern = false
            clients[slot].sendPosition &+= UInt64(count)
            if clients[slot].toSend != .max { clients[slot].toSend -= count }
            return countUp(count)
        }
        clients[slot].outStart += Int32(count)
        guard clients[slot].outStart == clients[slot].outEnd else { return }
        clients[slot].outStart = 0
        clients[slot].outEnd = 0
        countUp(Int(clients[slot].sealedBytes))
        clients[slot].sealedBytes = 0
    }

    mutating func receiveCompleted(_ slot: Int32, _ completion: Completion) {
        clients[slot].receiveInFlight = false
        guard completion.result > 0 else {
            guard clients[slot].phase != .ending else { return finishEnding(slot) }
            if completion.result == 0 { return finReceived(slot) }
            switch completion.errno {
            case ENOBUFS, ECANCELED: return  // rearmed by the pump
            case let code: return streamFailed(slot, code)
            }
        }
        clients[slot].lastActivity = loop.now
        // Safe: the lent bytes stay until the buffer is given back below, after their last use.
        let bytes = unsafe loop.bytes(of: completion)
        let span = unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: bytes.count)
        switch clients[slot].phase {
        case .handshaking: continueHandshake(slot, span)
        case .serving, .closing:
            if context == nil { unsafe deliver(slot, bytes) } else { openRecords(slot, span) }
        case .resting, .connecting: break
        case .ending: finishEnding(slot)
        }
        loop.giveBack(completion.buffer)
    }

    /// Decrypts the target's bytes and checks the plaintext.
    mutating func openRecords(_ slot: Int32, _ bytes: RawSpan) {
        guard bytes.byteCount > 0, clients[slot].phase == .serving || clients[slot].phase == .closing else { return }
        // After a failed handshake there are no keys to decrypt with.
        guard clients[slot].isSecured else { return }
        // Safe: the buffer lives as long as the generator, and is checked before the next records are opened.
        let memory = unsafe buffers.plaintext
        var plaintext = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
        let outcome = clients[slot].open(bytes, into: &plaintext)
        let count = plaintext.byteCount
        _ = consume plaintext
        queueReplies(slot)
        if count > 0 { unsafe deliver(slot, UnsafeRawBufferPointer(rebasing: memory[..<count])) }
        guard clients[slot].phase == .serving || clients[slot].phase == .closing else { return }
        switch outcome {
        case .open: break
        case .closed: if clients[slot].phase == .serving { fail(slot, "closed", "the target closed the connection") }
        case .failed(let failure): fail(slot, failure.code, failure.detail)
        }
    }

    /// Puts the prelude into the send buffer.
    mutating func queuePrelude(_ slot: Int32) {
        guard !plan.prelude.isEmpty else { return }
        let prelude = plan.prelude
        // Safe: the array's own bytes, for the calls.
        unsafe prelude.withUnsafeBytes { unsafe queue(slot, $0) }
    }

    // MARK: Private

    private mutating func startSend(_ slot: Int32) {
        if clients[slot].outStart == clients[slot].outEnd, clients[slot].toSend > 0, clients[slot].phase == .serving {
            let count = min(clients[slot].toSend, Pattern.stretchBytes)
            let stretch = unsafe pattern.stretch(at: clients[slot].sendPosition, count)
            guard context != nil else {
                clients[slot].sendsPattern = true
                clients[slot].sendInFlight = true
                // Safe: the pattern lives as long as the generator.
                return unsafe loop.send(clients[slot].descriptor, stretch, clients.token(.send, slot))
            }
            unsafe queue(slot, stretch)
            guard clients[slot].phase == .serving else { return }
            clients[slot].sealedBytes = Int32(count)
            clients[slot].sendPosition &+= UInt64(count)
            if clients[slot].toSend != .max { clients[slot].toSend -= count }
        }
        let (start, end) = (Int(clients[slot].outStart), Int(clients[slot].outEnd))
        if start < end {
            clients[slot].sendInFlight = true
            // Safe: bytes before `outEnd` stay until they are sent.
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffers.memory(slot)[start..<end])
            unsafe loop.send(clients[slot].descriptor, bytes, clients.token(.send, slot))
        } else if clients[slot].phase == .closing, !clients[slot].finSent {
            clients[slot].finSent = true
            loop.shutdownWrite(clients[slot].descriptor)
        }
    }

    /// Appends bytes to the send buffer, sealed if the run uses TLS.
    private mutating func queue(_ slot: Int32, _ bytes: UnsafeRawBufferPointer) {
        // Safe: the caller's bytes, for this call.
        let span = unsafe RawSpan(_unsafeStart: bytes.baseAddress!, byteCount: bytes.count)
        var output = buffers.output(slot, from: clients[slot].outEnd)
        if context == nil {
            // Safe: callers append only what fits.
            unsafe output.withUnsafeMutableBytes { buffer, count in
                unsafe buffer.baseAddress!.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                count = bytes.count
            }
        } else if case .failed(let failure) = clients[slot].seal(span, into: &output) {
            return fail(slot, failure.code, failure.detail)
        }
        clients[slot].outEnd += Int32(output.byteCount)
    }

    private mutating func queueReplies(_ slot: Int32) {
        guard let exchange, exchange.replies.byteCount > 0 else { return }
        let start = Int(clients[slot].outEnd)
        // Safe: `pump` receives only where an answer fits.
        let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: buffers.memory(slot)[start...])
        unsafe exchange.replies.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        clients[slot].outEnd += Int32(exchange.replies.byteCount)
    }

    /// Checks the bytes received from the target.
    private mutating func deliver(_ slot: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard clients[slot].phase == .serving else { return }
        tally.everDown += UInt64(bytes.count)
        if tally.isMeasuring { tally.bytesDown += UInt64(bytes.count) }
        switch plan.kind {
        case .bulk(.up), .bulk(.down), .idle: return
        case .bulk(.both): break
        case .echo, .connect:
            guard bytes.count <= clients[slot].toReceive else {
                return fail(slot, "unexpected-bytes", "the target sent more than was requested")
            }
            clients[slot].toReceive -= bytes.count
        }
        guard unsafe pattern.matches(bytes, at: clients[slot].receivePosition) else {
            return fail(slot, "corrupted", "the echoed bytes differ from those sent")
        }
        clients[slot].receivePosition &+= UInt64(bytes.count)
        if clients[slot].isBusy, clients[slot].toReceive == 0 { answered(slot) }
    }

    private mutating func countUp(_ count: Int) {
        tally.everUp += UInt64(count)
        if tally.isMeasuring { tally.bytesUp += UInt64(count) }
    }

    private mutating func finReceived(_ slot: Int32) {
        switch clients[slot].phase {
        case .handshaking: fail(slot, "closed", "the target closed the connection during the handshake")
        case .serving:
            let kind = context == nil ? "closed" : "truncated"
            fail(slot, kind, "the target closed the connection\(context == nil ? "" : " without close_notify")")
        case .closing: end(slot, reset: false)
        case .resting, .connecting, .ending: break
        }
    }

    private mutating func streamFailed(_ slot: Int32, _ code: Int32) {
        // After our own close the target may end the connection in any way.
        if clients[slot].phase == .closing { return end(slot, reset: true) }
        let isReset = code == ECONNRESET || code == EPIPE
        fail(slot, isReset ? "reset" : "stream-failed", describe(code))
    }
}
