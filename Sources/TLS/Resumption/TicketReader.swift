import COpenSSL
import Crypto
import SVID
import System

/// OpenSSL's remaining part on a dialling side that may keep sessions: it reads tickets, and nothing else.
///
/// It can do so as long as it has seen every record that the server sent.
@safe
struct TicketReader: ~Copyable {
    private let ssl: OpaquePointer
    private let sessions: OfferedSessions
    private let peer: PeerSVID
    private let endpoint: SocketAddress?

    /// Takes over an SSL that has completed its handshake and read nothing since.
    init(owning ssl: OpaquePointer, _ sessions: OfferedSessions, _ peer: PeerSVID, endpoint: SocketAddress?) {
        unsafe self.ssl = ssl
        self.sessions = sessions
        self.peer = peer
        self.endpoint = endpoint
    }

    /// Passes OpenSSL a record of tickets as received, and keeps the session that it gives, if it is complete.
    borrowing func read(
        _ record: UnsafeRawBufferPointer, _ exchange: RecordExchange
    ) throws(RecordFlaw) -> KeptSession? {
        ErrorQueue.clear()
        // Safe: the SSL is this value's, and reads and writes through the exchange's window within the closure only.
        // What it writes is an alert under a key that is no longer its own: it is thrown away.
        let isWell = unsafe withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            let step = unsafe exchange.withWindow(reading: record, writing: room) {
                var byte: UInt8 = 0
                var count = 0
                let status = unsafe SSL_read_ex(ssl, &byte, 1, &count)
                return unsafe status != 1 && SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ
            }
            return step.outcome && step.readBytes == record.count
        }
        guard isWell else {
            ErrorQueue.clear()
            throw .malformedTicket
        }
        let newSessions = unsafe exchange.window.pointee.findings.newSessions
        unsafe exchange.window.pointee.findings.newSessions = []
        for session in newSessions { sessions.keep(session, peer: peer, endpoint: endpoint) }
        return newSessions.last
    }

    /// Switches to another exchange's window.
    borrowing func attach(to exchange: RecordExchange) { unsafe exchange.bio.attach(to: ssl) }

    deinit {
        // As in `TLSSession.deinit`: a session to forget is marked on the session itself.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
    }
}
