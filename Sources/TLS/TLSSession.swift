import COpenSSL
import Identity

/// One end of one TLS connection: bytes in, bytes out, no I/O.
///
/// The owner frees it by letting go. All calls happen on the thread of its context and exchange.
@safe
public struct TLSSession: ~Copyable {
    private enum Phase {
        case handshaking, established, closeSent
        case failed(TLSFailure)
    }

    let ssl: OpaquePointer
    let context: TLSContext
    private let exchange: RecordExchange
    private let endpoint: Int
    /// Whom the session that was offered for resumption had been made with.
    private var offeredPeer: PeerSVID?
    private var phase: Phase
    var recordsUntilKeyUpdate: Int

    /// Who the peer is; present once the handshake is complete.
    public private(set) var peer: PeerSVID?

    /// A session that has not begun its handshake.
    ///
    /// - Parameter endpoint: a number of the caller's for where a dialling session goes: what one endpoint gave us for
    ///   resumption is offered to no other.
    public init(_ context: TLSContext, exchange: RecordExchange, endpoint: Int = 0) throws(TLSFault) {
        // Safe: the new SSL is owned by this value from here on; the exchange's BIO lives as long as the exchange.
        unsafe ssl = try Self.makeSSL(context)
        unsafe exchange.bio.attach(to: ssl)
        self.endpoint = endpoint
        offeredPeer = unsafe Self.offerSession(of: endpoint, context, to: ssl)
        self.context = context
        self.exchange = exchange
        phase = .handshaking
        recordsUntilKeyUpdate = Self.recordsPerKey
        peer = nil
    }

    /// Goes on with the handshake, given bytes from the peer, and appends the bytes to send to `output`.
    ///
    /// A dialling session's first call takes no input. `output` needs `flightBytes` of room. Input beyond `consumed`
    /// belongs to `open`; that happens only with `.complete`.
    public mutating func handshake(
        _ input: RawSpan, into output: inout OutputRawSpan
    ) -> (outcome: HandshakeOutcome, consumed: Int) {
        guard case .handshaking = phase else { preconditionFailure("a handshake goes on only until it is complete") }
        precondition(output.freeCapacity >= Self.flightBytes, "a flight of the handshake must fit")
        // Safe: the pointers are used within the closures only.
        return unsafe input.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { buffer, count in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let step = unsafe exchange.withWindow(reading: input, writing: room) { handshakeStep() }
                count += step.writtenBytes
                return (step.outcome, step.readBytes)
            }
        }
    }

    /// Decrypts all of `input`, and appends every byte of plaintext that is complete.
    ///
    /// `plaintext` needs `openCapacity(inputBytes:)` of room. A partial record stays in the session.
    public mutating func open(_ input: RawSpan, into plaintext: inout OutputRawSpan) -> OpenOutcome {
        switch phase {
        case .handshaking: preconditionFailure("nothing is opened before the handshake is complete")
        case .failed(let failure): return .failed(failure)
        case .established, .closeSent: break
        }
        precondition(plaintext.freeCapacity >= Self.openCapacity(inputBytes: input.byteCount))
        // Safe: the pointers are used within the closures only.
        return unsafe input.withUnsafeBytes { input in
            unsafe plaintext.withUnsafeMutableBytes { buffer, count in
                var used = count
                defer { count = used }
                return unsafe exchange.withReplies(reading: input) { unsafe openRecords(into: buffer, &used) }
            }
        }
    }

    /// Encrypts all of `plaintext` and appends it to `output`, which needs `sealCapacity(plaintextBytes:)` of room.
    public mutating func seal(_ plaintext: RawSpan, into output: inout OutputRawSpan) -> SealOutcome {
        switch phase {
        case .handshaking, .closeSent: preconditionFailure("nothing is sealed before the handshake or after closing")
        case .failed(let failure): return .failed(failure)
        case .established: break
        }
        precondition(output.freeCapacity >= Self.sealCapacity(plaintextBytes: plaintext.byteCount))
        guard plaintext.byteCount > 0 else { return .sealed }
        // Safe: the pointers are used within the closures only.
        return unsafe plaintext.withUnsafeBytes { plaintext in
            unsafe output.withUnsafeMutableBytes { buffer, count in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
                let step = unsafe exchange.withWindow(reading: none, writing: room) { unsafe sealRecords(plaintext) }
                count += step.writtenBytes
                return step.outcome
            }
        }
    }

    /// Says that no more plaintext will be sent; receiving goes on. Does nothing when there is no one to tell.
    public mutating func closeNotify(into output: inout OutputRawSpan) {
        guard case .established = phase else { return }
        phase = .closeSent
        // Safe, here and below: the closure gets this session's own SSL for the length of the call.
        unsafe write(into: &output) { ssl in unsafe _ = SSL_shutdown(ssl) }
    }

    /// Ends the session because the peer may not do what it came for: a fatal access_denied alert in TLS 1.3, and
    /// close_notify in TLS 1.2, where OpenSSL has no way to say more.
    ///
    /// For the accepting side, once the handshake is complete.
    public mutating func refuse(into output: inout OutputRawSpan) {
        guard case .established = phase else { return }
        guard case .accepting = context.role, version == .tls13 else { return closeNotify(into: &output) }
        phase = .failed(.closedByUs)
        unsafe exchange.window.pointee.refusesPeer = true
        unsafe write(into: &output) { ssl in
            unsafe _ = SSL_new_session_ticket(ssl)
            unsafe _ = SSL_do_handshake(ssl)
        }
        unsafe exchange.window.pointee.refusesPeer = false
    }

    /// Room that one flight of a handshake needs: our chain and what goes around it.
    public static let flightBytes = 24 * 1024

    /// Room that `open` needs: a partial record that the session held may come free on top of what comes in.
    public static func openCapacity(inputBytes: Int) -> Int { inputBytes + 17 * 1024 }

    /// Room that `seal` needs: each record's header, explicit nonce and tag, and an answer to a key update.
    public static func sealCapacity(plaintextBytes: Int) -> Int {
        plaintextBytes + (plaintextBytes / recordBytes + 1) * 32 + 64
    }

    static let recordBytes = 16_384
    /// A third of what RFC 8446, section 5.5, allows one key of AES-GCM to protect.
    private static let recordsPerKey = 1 << 23
    /// Key updates and tickets in one read; an honest peer sends one now and then, and each costs us far more than it.
    private static let messagesAfterHandshakeLimit = 16

    deinit {
        // A session that is freed without having been shut down is forgotten by its context's cache.
        // Safe: this value is the only owner of the SSL, and keeps context and exchange until after this.
        if case .failed = phase {} else { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
    }
}

extension TLSSession {
    private static func makeSSL(_ context: TLSContext) throws(TLSFault) -> OpaquePointer {
        ErrorQueue.clear()
        // Safe: the context is alive; OpenSSL copies the name.
        guard let ssl = unsafe SSL_new(context.pointer) else { throw ErrorQueue.fault("SSL_new") }
        switch context.role {
        case .accepting: unsafe SSL_set_accept_state(ssl)
        case .dialling(let serverName):
            unsafe SSL_set_connect_state(ssl)
            if let serverName, unsafe postern_ssl_set_server_name(ssl, serverName) != 1 {
                unsafe SSL_free(ssl)
                throw ErrorQueue.fault("SSL_set_tlsext_host_name")
            }
        }
        return unsafe ssl
    }

    /// Offers the newest session of `endpoint` to its server; returns whom that session was made with.
    private static func offerSession(of endpoint: Int, _ context: TLSContext, to ssl: OpaquePointer) -> PeerSVID? {
        guard let offer = context.offeredSessions?.take(endpoint: endpoint) else { return nil }
        // Safe: OpenSSL takes a reference of its own; the session is of a context with the same protocols.
        return unsafe SSL_set_session(ssl, offer.session.pointer) == 1 ? offer.peer : nil
    }

    /// Keeps the sessions that the server gave us during this call.
    private func keepNewSessions() {
        guard unsafe !exchange.window.pointee.findings.newSessions.isEmpty else { return }
        if let peer, let offeredSessions = context.offeredSessions {
            for session in unsafe exchange.window.pointee.findings.newSessions {
                offeredSessions.keep(session, peer: peer, endpoint: endpoint)
            }
        }
    }
}

// MARK: Steps: each runs inside the exchange's window

extension TLSSession {
    /// What a call into OpenSSL came to.
    private enum Step {
        case wantsBytes, closed
        case failed(TLSFailure)
    }

    private mutating func handshakeStep() -> HandshakeOutcome {
        ErrorQueue.clear()
        let status = unsafe SSL_do_handshake(ssl)
        // The verification callback runs at most once a session, in the call that brings the last of the chain.
        if let verified = unsafe exchange.window.pointee.findings.verifiedPeer { peer = verified }
        guard status == 1 else {
            switch classify(status) {
            case .wantsBytes: return .wantsBytes
            case .closed: return fail(.misbehaved(.unexpectedMessage))
            case .failed(let failure): return fail(failure)
            }
        }
        if resumed {
            peer = if case .dialling = context.role { offeredPeer } else { unsafe PeerSVID(resumed: ssl) }
        }
        guard peer != nil else { return fail(.refused(.noCertificate)) }
        if case .dialling = context.role, let chosen = applicationProtocol,
            !context.applicationProtocols.names.contains(chosen)
        {
            return fail(.misbehaved(.unofferedApplicationProtocol))
        }
        phase = .established
        return .complete
    }

    private mutating func fail(_ failure: TLSFailure) -> HandshakeOutcome {
        phase = .failed(failure)
        peer = nil
        return .failed(failure)
    }

    private mutating func openRecords(into buffer: UnsafeMutableRawBufferPointer, _ used: inout Int) -> OpenOutcome {
        ErrorQueue.clear()
        unsafe exchange.window.pointee.receivedMessagesLimit = Self.messagesAfterHandshakeLimit
        defer {
            unsafe exchange.window.pointee.receivedMessagesLimit = .max
            keepNewSessions()
        }
        while true {
            // Safe: `used` never passes the buffer's count; OpenSSL writes at most the room it is given.
            var readBytes = 0
            let room = buffer.count - used
            precondition(room > 0, "openCapacity(inputBytes:) covers all that can come free")
            let status = unsafe SSL_read_ex(ssl, buffer.baseAddress! + used, room, &readBytes)
            if status == 1 {
                used += readBytes
                continue
            }
            switch classify(status) {
            case .wantsBytes:
                guard unsafe exchange.window.pointee.findings.receivedMessages > Self.messagesAfterHandshakeLimit else {
                    return .open
                }
                phase = .failed(.misbehaved(.tooManyRequests))
                return .failed(.misbehaved(.tooManyRequests))
            case .closed: return .closed
            case .failed(let failure):
                phase = .failed(failure)
                return .failed(failure)
            }
        }
    }

    private mutating func sealRecords(_ plaintext: UnsafeRawBufferPointer) -> SealOutcome {
        ErrorQueue.clear()
        updateKeysWhenDue(plaintext.count)
        var writtenBytes = 0
        // Safe: OpenSSL reads the plaintext's bytes; without partial writes it takes all or fails.
        let status = unsafe SSL_write_ex(ssl, plaintext.baseAddress, plaintext.count, &writtenBytes)
        if status == 1 { return .sealed }
        let step = classify(status)
        guard case .failed(let failure) = step else {
            // Reading is asked for only in a handshake, and renegotiation is off.
            phase = .failed(.misbehaved(.unexpectedMessage))
            return .failed(.misbehaved(.unexpectedMessage))
        }
        phase = .failed(failure)
        return .failed(failure)
    }

    /// Changes to a new sending key well before AES-GCM has used up the old one (RFC 8446, section 5.5).
    private mutating func updateKeysWhenDue(_ plaintextBytes: Int) {
        recordsUntilKeyUpdate -= plaintextBytes / Self.recordBytes + 1
        guard recordsUntilKeyUpdate <= 0 else { return }
        recordsUntilKeyUpdate = Self.recordsPerKey
        guard version == .tls13 else { return }
        // Safe: the SSL is established; the message goes out before the next record.
        unsafe _ = SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
    }

    private func classify(_ status: Int32) -> Step {
        switch unsafe SSL_get_error(ssl, status) {
        case SSL_ERROR_WANT_READ: return .wantsBytes
        case SSL_ERROR_ZERO_RETURN: return .closed
        // The output's capacity was checked before the call, so only a peer that provokes replies can fill it.
        case SSL_ERROR_WANT_WRITE: return .failed(.misbehaved(.tooManyRequests))
        default:
            let entry = ErrorQueue.take()
            if let refusal = unsafe exchange.window.pointee.findings.refusal { return .failed(.refused(refusal)) }
            guard let entry else { return .failed(.fault(.openSSL(call: "SSL", library: 0, reason: 0))) }
            return .failed(TLSFailure(entry))
        }
    }

    /// Runs `body` with the output window alone.
    private func write(into output: inout OutputRawSpan, _ body: (OpaquePointer) -> Void) {
        ErrorQueue.clear()
        // Safe: the pointers are used within the closures only.
        unsafe output.withUnsafeMutableBytes { buffer, count in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
            count += unsafe exchange.withWindow(reading: none, writing: room) { unsafe body(ssl) }.writtenBytes
        }
        ErrorQueue.clear()
    }
}
