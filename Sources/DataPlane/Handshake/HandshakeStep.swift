import EventLoop
import System
import TLS

/// One handshake step: a flight of the peer, and its result from TLS.
///
/// Sendable by hand: only the thread that took it from a queue uses it.
final class HandshakeStep: @unchecked Sendable {
    enum Outcome {
        case handshake(HandshakeOutcome)
        /// No session could be created.
        case noSession(TLSFault)
    }

    let connection: OperationToken
    private let context: TLSContext
    private let endpoint: SocketAddress?
    /// Present from the first step on.
    private var session: TLSSession?
    let flight: [UInt8]

    private(set) var outcome = Outcome.handshake(.wantsBytes)
    /// For the peer.
    private(set) var output: [UInt8] = []
    /// How many bytes of the flight belong to the handshake.
    private(set) var consumed = 0

    init(
        _ connection: OperationToken, _ context: TLSContext, endpoint: SocketAddress?, _ session: consuming TLSSession?,
        flight: [UInt8]
    ) {
        self.connection = connection
        self.context = context
        self.endpoint = endpoint
        self.session = session
        self.flight = flight
    }

    /// Gives the flight to TLS. It takes a few hundred microseconds.
    func run(on exchange: RecordExchange) {
        do throws(TLSFault) {
            var session = try begunSession(for: exchange)
            run(&session)
            self.session = consume session
        } catch {
            outcome = .noSession(error)
        }
    }

    private func begunSession(for exchange: RecordExchange) throws(TLSFault) -> TLSSession {
        if let session = takeSession(for: exchange) { return session }
        return try TLSSession(context, exchange: exchange, endpoint: endpoint)
    }

    private func run(_ session: inout TLSSession) {
        let flight = flight
        // Safe: the block is written from its start on, and the bytes are copied before it goes.
        output = unsafe withUnsafeTemporaryAllocation(byteCount: TLSSession.flightBytes, alignment: 16) { room in
            var output = unsafe OutputRawSpan(buffer: room, initializedCount: 0)
            let step = unsafe session.handshake(flight.span.bytes, into: &output)
            outcome = .handshake(step.outcome)
            consumed = step.consumed
            return unsafe Array(room[..<output.byteCount])
        }
    }

    /// The session, to be used with `exchange` from now on.
    func takeSession(for exchange: RecordExchange) -> TLSSession? {
        guard var session = session.take() else { return nil }
        session.move(to: exchange)
        return session
    }
}
