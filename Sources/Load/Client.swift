import EventLoop
import TLS

/// What completes for a client; the high byte of its tokens.
enum Operation: UInt8 {
    case connect = 1
    case receive, send
}

/// One of the generator's connections, through all its lives.
struct Client: ~Copyable {
    enum Phase: UInt8 {
        /// There is no socket.
        case resting
        case connecting
        case handshaking
        case serving
        /// We have said our last; the other side's end is awaited.
        case closing
        /// Its operations are being cancelled.
        case ending
    }

    var phase = Phase.resting
    var connectInFlight = false
    var receiveInFlight = false
    var sendInFlight = false
    var finSent = false
    /// Closed with RST.
    var endsWithReset = false
    /// It ended by an error, so that it rests before it is dialled again.
    var failed = false
    /// Its first dial has come to something.
    var wasTried = false
    /// Its handshake was completed.
    var isSecured = false
    /// A request is on its way.
    var isBusy = false
    var descriptor: Int32 = -1
    /// Counts its lives; in its tokens.
    var life: UInt32 = 0
    /// What of its send buffer is still to be sent.
    var outStart: Int32 = 0
    var outEnd: Int32 = 0
    /// Plaintext of the pattern that is sealed in the send buffer.
    var sealedBytes: Int32 = 0
    /// The send in flight is of the pattern itself, and not of the send buffer.
    var sendsPattern = false
    var toSend = 0
    var toReceive = 0
    var sendPosition: UInt64 = 0
    var receivePosition: UInt64 = 0
    /// When its dial began, and once it is connected, its handshake.
    var startedAt: UInt64 = 0
    var lastActivity: UInt64 = 0
    /// When the request in flight was due; its latency counts from here.
    var dueAt: UInt64 = 0
    /// Open loop: how many of this connection's requests were begun.
    var begun: UInt64 = 0
    var session: TLSSession?

    var hasOperations: Bool { connectInFlight || receiveInFlight || sendInFlight }
}

/// The session's calls, for when there must be one.
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
