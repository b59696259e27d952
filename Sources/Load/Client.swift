import EventLoop
import TLS

/// The kind of a client's operation; the high byte of its tokens.
enum Operation: UInt8 {
    case connect = 1
    case receive, send
}

/// One of the generator's connections, across redials.
struct Client: ~Copyable {
    enum Phase: UInt8 {
        /// No socket.
        case resting
        case connecting
        case handshaking
        case serving
        /// We have closed our direction and wait for the target's close.
        case closing
        /// Operations are being cancelled.
        case ending
    }

    var phase = Phase.resting
    var connectInFlight = false
    var receiveInFlight = false
    var sendInFlight = false
    var finSent = false
    /// Closed with RST.
    var endsWithReset = false
    /// It failed, and pauses before the redial.
    var failed = false
    /// Its first dial has completed or failed.
    var wasTried = false
    /// The handshake is complete.
    var isSecured = false
    /// A request is in flight.
    var isBusy = false
    var descriptor: Int32 = -1
    /// Counts redials; part of its tokens.
    var life: UInt32 = 0
    /// The unsent range of its send buffer.
    var outStart: Int32 = 0
    var outEnd: Int32 = 0
    /// Bytes of pattern plaintext sealed in the send buffer.
    var sealedBytes: Int32 = 0
    /// The send in flight reads from the pattern itself, not from the send buffer.
    var sendsPattern = false
    var toSend = 0
    var toReceive = 0
    var sendPosition: UInt64 = 0
    var receivePosition: UInt64 = 0
    /// When the dial began or, once connected, the handshake.
    var startedAt: UInt64 = 0
    var lastActivity: UInt64 = 0
    /// When the request in flight was due; latency counts from here.
    var dueAt: UInt64 = 0
    /// Open loop: the number of requests started on this connection.
    var begun: UInt64 = 0
    var session: TLSSession?

    var hasOperations: Bool { connectInFlight || receiveInFlight || sendInFlight }
}

/// Calls to the session, which must exist.
extension Client {
    mutating func handshake(
        _ input: RawSpan, into output: inout OutputRawSpan
    ) -> (outcome: HandshakeOutcome, consumed: Int) {
        guard session != nil else { preconditionFailure("no session") }
        return session!.handshake(input, into: &output)
    }

    mutating func open(_ input: RawSpan, into plaintext: inout OutputRawSpan) -> OpenOutcome {
        guard session != nil else { preconditionFailure("no session") }
        return session!.open(input, into: &plaintext)
    }

    mutating func seal(_ plaintext: RawSpan, into output: inout OutputRawSpan) -> SealOutcome {
        guard session != nil else { preconditionFailure("no session") }
        return session!.seal(plaintext, into: &output)
    }

    mutating func closeNotify(into output: inout OutputRawSpan) {
        session?.closeNotify(into: &output)
    }

    func withSession<Value>(_ body: (borrowing TLSSession) -> Value?) -> Value? {
        switch session {
        case .some(let session): body(session)
        case .none: nil
        }
    }
}
