import COpenSSL
import Identity
import Crypto
public import SVID
public import System

/// One end of one TLS connection: bytes in, bytes out, no I/O.
///
/// It is freed with its owner. All calls happen on the thread of its exchange.
@safe
public struct TLSSession: ~Copyable {
    enum Phase {
        case handshaking, established, closeSent
        case failed(TLSFailure)
    }

    /// OpenSSL's object: in TLS 1.3 until the handshake is complete, in TLS 1.2 for the session's life.
    var handshaker: OpaquePointer?
    /// Our own record layer, in TLS 1.3 once the handshake is complete.
    var records: RecordLayer?
    /// Delivered by OpenSSL during the handshake.
    var secrets: TrafficSecrets
    let context: TLSContext
    private(set) var exchange: RecordExchange
    let endpoint: SocketAddress?
    /// The peer of the session that was offered for resumption.
    var offeredPeer: PeerSVID?
    /// The peer whose certificate was verified; possession of its key is proven once the handshake is complete.
    var claimedPeer: PeerSVID?
    /// On an accepting side, the peer of the session that is being resumed.
    var continuedPeer: PeerSVID?
    var phase: Phase
    var recordLimit = RecordLimit.whole

    /// The peer; present once the handshake is complete.
    public internal(set) var peer: PeerSVID?
    /// The peer that was refused for its certificate; nil if there was none or it was not checked.
    public internal(set) var refusedPeer: RefusedPeer?

    /// A session that has not begun its handshake.
    ///
    /// - Parameter endpoint: where a dialling session goes to: sessions of one endpoint are offered for resumption to
    ///   no other.
    public init(_ context: TLSContext, exchange: RecordExchange, endpoint: SocketAddress? = nil) throws(TLSFault) {
        // Safe: the new SSL is owned by this value from here on; the exchange's BIO lives as long as the exchange.
        let ssl = unsafe try Self.makeSSL(context)
        unsafe handshaker = ssl
        records = nil
        secrets = TrafficSecrets()
        unsafe exchange.bio.attach(to: ssl)
        self.endpoint = endpoint
        offeredPeer = unsafe Self.offerSession(of: endpoint, context, to: ssl)
        self.context = context
        self.exchange = exchange
        phase = .handshaking
        claimedPeer = nil
        continuedPeer = nil
        peer = nil
    }

    /// Moves to another exchange, and so to its thread.
    public mutating func move(to exchange: RecordExchange) {
        guard exchange !== self.exchange else { return }
        // Safe: the SSL is this value's, and takes a reference to its new BIO, which lives as long as its exchange.
        if let handshaker = unsafe handshaker { unsafe exchange.bio.attach(to: handshaker) }
        records?.move(to: exchange)
        self.exchange = exchange
    }

    /// Advances the handshake with bytes from the peer, and appends the bytes to send to `output`.
    ///
    /// A dialling session's first call takes no input. `output` needs `flightBytes` of room. Input beyond `consumed`
    /// belongs to `open`; that happens only with `.complete`.
    public mutating func handshake(
        _ input: RawSpan, into output: inout OutputRawSpan
    ) -> (outcome: HandshakeOutcome, consumed: Int) {
        guard case .handshaking = phase else { preconditionFailure("a handshake goes on only until it is complete") }
        precondition(output.freeCapacity >= Self.flightBytes, "a flight of the handshake must fit")
        exchange.forgetReplies()
        let step = handshakeStep(input, into: &output)
        guard step.outcome == .failed(.notTLS), PlaintextHTTP.begins(input) else { return step }
        phase = .failed(.plaintextHTTP)
        return (.failed(.plaintextHTTP), step.consumed)
    }

    private mutating func handshakeStep(
        _ input: RawSpan, into output: inout OutputRawSpan
    ) -> (outcome: HandshakeOutcome, consumed: Int) {
        // Safe: the pointers are used within the closures only.
        return unsafe input.withUnsafeBytes { input in
            unsafe output.withUnsafeMutableBytes { buffer, count in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let step = unsafe exchange.withWindow(reading: input, writing: room) { handshakeStep() }
                count += step.writtenBytes
                guard step.outcome == .complete else { return (step.outcome, step.readBytes) }
                if let session = unsafe SSL_get_session(ssl) { recordLimit = unsafe RecordLimit(agreedIn: session) }
                guard version == .tls13 else { return (.complete, step.readBytes) }
                do throws(TLSFault) {
                    unsafe try takeOver(UnsafeRawBufferPointer(rebasing: room[..<step.writtenBytes]))
                    return (.complete, step.readBytes)
                } catch {
                    peer = nil
                    return (fail(.fault(error)), step.readBytes)
                }
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
        exchange.forgetReplies()
        precondition(plaintext.freeCapacity >= Self.openCapacity(inputBytes: input.byteCount))
        // Safe: the pointers are used within the closures only.
        return unsafe input.withUnsafeBytes { input in
            unsafe plaintext.withUnsafeMutableBytes { buffer, count in
                var used = count
                defer { count = used }
                if let records { return unsafe open(records, input, into: buffer, &used) }
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
        precondition(output.freeCapacity >= sealCapacity(plaintextBytes: plaintext.byteCount))
        guard plaintext.byteCount > 0 else { return .sealed }
        exchange.forgetReplies()
        // Safe: the pointers are used within the closures only.
        return unsafe plaintext.withUnsafeBytes { plaintext in
            unsafe output.withUnsafeMutableBytes { buffer, count in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                if let records { return unsafe seal(records, plaintext, into: room.baseAddress!, &count) }
                let none = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
                let step = unsafe exchange.withWindow(reading: none, writing: room) { unsafe sealRecords(plaintext) }
                count += step.writtenBytes
                return step.outcome
            }
        }
    }

    /// Sends close_notify: no more plaintext will be sent; receiving goes on. Does nothing unless the session is
    /// established.
    public mutating func closeNotify(into output: inout OutputRawSpan) {
        guard case .established = phase else { return }
        phase = .closeSent
        exchange.forgetReplies()
        if let records { return sealAlert(records, TLSAlert.closeNotify, into: &output) }
        // Safe: the closure gets this session's own SSL for the length of the call.
        unsafe write(into: &output) { ssl in unsafe _ = SSL_shutdown(ssl) }
    }

    /// Ends the session because the peer is not authorized: with a fatal access_denied alert in TLS 1.3, and with
    /// close_notify in TLS 1.2, where OpenSSL has no way to send more.
    ///
    /// For the accepting side, once the handshake is complete.
    public mutating func refuse(into output: inout OutputRawSpan) {
        guard case .established = phase else { return }
        guard case .accepting = context.role, let records else { return closeNotify(into: &output) }
        exchange.forgetReplies()
        sealAlert(records, TLSAlert.accessDenied, into: &output)
        _ = fail(records, .closedByUs)
    }

    /// Closes an established session abortively, so that the peer knows that its data is truncated: with an alert in
    /// TLS 1.3. In TLS 1.2 nothing is sent, and FIN without close_notify says the same.
    public mutating func abort(_ abort: TLSAbort, into output: inout OutputRawSpan) {
        guard case .established = phase else { return }
        phase = .closeSent
        exchange.forgetReplies()
        guard let records else { return }
        switch abort {
        case .userCanceled: sealAlert(records, TLSAlert.userCanceled, into: &output)
        case .accessDenied:
            sealAlert(records, TLSAlert.accessDenied, into: &output)
            _ = fail(records, .closedByUs)
        }
    }

    /// Whether an incomplete record is held.
    public var holdsPartialRecord: Bool { records?.holdsPartialRecord ?? true }

    /// Whether the client was refused for an invalid server name.
    public var asksForNoName: Bool {
        if case .failed(.misbehaved(.invalidServerName)) = phase { true } else { false }
    }

    /// Room that one handshake flight needs: our chain and the messages around it.
    public static let flightBytes = 24 * 1024

    /// Room that `open` needs: a partial record that the session holds may be completed on top of the input.
    public static func openCapacity(inputBytes: Int) -> Int { inputBytes + 17 * 1024 }

    /// Room that `seal` needs if the peer accepts whole records: each record's header, explicit nonce and tag, and a
    /// reply to a key update.
    public static func sealCapacity(plaintextBytes: Int) -> Int {
        plaintextBytes + (plaintextBytes / recordBytes + 1) * sealOverheadBytes + answerBytes
    }

    /// Room that `seal` needs.
    public func sealCapacity(plaintextBytes: Int) -> Int {
        plaintextBytes + (recordLimit.whole(in: plaintextBytes) + 1) * Self.sealOverheadBytes + Self.answerBytes
    }

    /// How much plaintext `seal` can fit into `capacity`; at least one record's for each capacity that we use.
    public func sealable(capacity: Int) -> Int {
        (capacity - Self.answerBytes) / (recordLimit.bytes + Self.sealOverheadBytes) * recordLimit.bytes
    }

    private static let sealOverheadBytes = 32
    private static let answerBytes = 64

    /// The plaintext of a whole record.
    public static let recordBytes = RecordFormat.contentBytes
    /// Key updates and tickets in one read: a compliant peer sends one now and then, and each costs us far more than
    /// the peer.
    static let messagesAfterHandshakeLimit = 16

    deinit {
        // Safe: this value is the only owner of the SSL, and keeps context and exchange until after this.
        guard let handshaker = unsafe handshaker else { return }
        if case .failed = phase { unsafe SSL_free(handshaker) } else { unsafe Self.free(handshaker) }
    }
}

extension TLSSession {
    /// OpenSSL's object, while there must be one.
    var ssl: OpaquePointer {
        guard let handshaker = unsafe handshaker else { preconditionFailure("the records were taken over") }
        return unsafe handshaker
    }

    private static func makeSSL(_ context: TLSContext) throws(TLSFault) -> OpaquePointer {
        ErrorQueue.clear()
        // Safe: the context is alive; OpenSSL copies the name.
        guard let ssl = unsafe SSL_new(context.pointer) else { throw .crypto(ErrorQueue.fault("SSL_new")) }
        switch context.role {
        case .accepting: unsafe SSL_set_accept_state(ssl)
        case .dialling(let serverName):
            unsafe SSL_set_connect_state(ssl)
            if let serverName, unsafe postern_ssl_set_server_name(ssl, serverName) != 1 {
                unsafe SSL_free(ssl)
                throw .crypto(ErrorQueue.fault("SSL_set_tlsext_host_name"))
            }
        }
        return unsafe ssl
    }

    /// Offers the newest session of `endpoint` to its server; returns the peer of that session.
    private static func offerSession(
        of endpoint: SocketAddress?, _ context: TLSContext, to ssl: OpaquePointer
    ) -> PeerSVID? {
        guard let offer = context.offeredSessions?.take(endpoint: endpoint) else { return nil }
        // Safe: OpenSSL takes a reference of its own; the session is of a context with the same protocols.
        return unsafe SSL_set_session(ssl, offer.session.pointer) == 1 ? offer.peer : nil
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
