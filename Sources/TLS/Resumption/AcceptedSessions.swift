import COpenSSL
import Synchronization
import Crypto
import SVID

/// The sessions that an accepting context may resume, kept in memory and found by their IDs.
///
/// They belong to one context, hence to one listener and identity: any other does a full handshake. So does a peer
/// whose session has outlived a certificate of its path.
///
/// All calls may come from any thread.
final class AcceptedSessions: Sendable {
    private let sessions: Mutex<BoundedCache<Digest256, KeptSession>>
    private let clock: @Sendable () -> Int64

    init(clock: @escaping @Sendable () -> Int64) {
        sessions = Mutex(BoundedCache(capacity: Self.capacity))
        self.clock = clock
    }

    /// The sessions of `others` whose peers `verifier` accepts, under what it trusts.
    init(_ others: AcceptedSessions, acceptedBy verifier: SVIDVerifier) {
        let all = others.sessions.withLock(\.self)
        sessions = Mutex(all.filter { $0.peer.map(verifier.accepts) ?? false })
        clock = others.clock
    }

    /// Keeps `session` if it may be resumed at all; takes the reference if so.
    func keep(_ session: KeptSession) -> Bool {
        guard session.isTLS13, let number = session.number else {
            return false
        }
        sessions.withLock { $0.insert(session, for: number) }
        return true
    }

    /// The session with this ID, if it may be resumed now.
    func session(_ number: Digest256) -> KeptSession? {
        guard let session = sessions.withLock({ $0[number] }) else { return nil }
        let now = clock()
        guard session.isResumable, let peer = session.peer, now >= peer.verifiedAt,
            now - peer.verifiedAt <= Self.lifetimeSeconds, now <= peer.holdsUntil
        else {
            forget(number)
            return nil
        }
        return session
    }

    func forget(_ number: Digest256) { sessions.withLock { $0.remove(number) } }

    /// A peer is verified again at least this often.
    static let lifetimeSeconds: Int64 = 3_600
    private static let capacity = 512
}

// MARK: OpenSSL's callbacks

extension AcceptedSessions {
    /// Makes `context` ask this object for sessions. It must live as long as the context.
    func install(on context: OpaquePointer) {
        // Safe: the context is alive; slot 0 is the application's own, and holds nothing else.
        unsafe SSL_CTX_set_ex_data(context, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe postern_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_set_timeout(context, Int(Self.lifetimeSeconds))
        unsafe SSL_CTX_sess_set_new_cb(context, keepAcceptedSession)
        unsafe SSL_CTX_sess_set_get_cb(context, findAcceptedSession)
        unsafe SSL_CTX_sess_set_remove_cb(context, forgetAcceptedSession)
    }

    fileprivate static func of(_ context: OpaquePointer?) -> AcceptedSessions? {
        // Safe: `install` put an object there that lives as long as the context.
        guard let data = unsafe SSL_CTX_get_ex_data(context, 0) else { return nil }
        return unsafe Unmanaged<AcceptedSessions>.fromOpaque(data).takeUnretainedValue()
    }
}

/// Returns 1 when the reference to the session was taken.
private func keepAcceptedSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    // Safe: OpenSSL passes its objects; a second reference is taken, so that the answer decides about the first only.
    guard let ssl = unsafe ssl, let session = unsafe session,
        let sessions = unsafe AcceptedSessions.of(SSL_get_SSL_CTX(ssl))
    else { return 0 }
    // Kept with the session, not in a table from which other peers' chains could evict it.
    guard let peer = unsafe RecordBIO.window(of: ssl).pointee.findings.peer else { return 0 }
    guard unsafe SSL_SESSION_up_ref(session) == 1 else { return 0 }
    _ = sessions.keep(unsafe KeptSession(owning: session, peer: peer))
    return 0
}

private func findAcceptedSession(
    _ ssl: OpaquePointer?, _ number: UnsafePointer<UInt8>?, _ count: Int32,
    _ takesReference: UnsafeMutablePointer<Int32>?
) -> OpaquePointer? {
    // Safe: OpenSSL passes `count` readable bytes, and takes a reference of its own when told to.
    unsafe takesReference?.pointee = 1
    let bytes = unsafe UnsafeRawBufferPointer(start: number, count: Int(count))
    guard let number = unsafe Digest256(bytes), let sessions = unsafe AcceptedSessions.of(SSL_get_SSL_CTX(ssl)) else {
        return nil
    }
    guard let ssl = unsafe ssl, let kept = sessions.session(number) else { return nil }
    unsafe RecordBIO.window(of: ssl).pointee.findings.continuedPeer = kept.peer
    return unsafe kept.pointer
}

private func forgetAcceptedSession(_ context: OpaquePointer?, _ session: OpaquePointer?) {
    // Safe: the ID's bytes belong to the session and are copied at once.
    var count: UInt32 = 0
    guard let session = unsafe session, let bytes = unsafe SSL_SESSION_get_id(session, &count) else { return }
    guard let number = unsafe Digest256(UnsafeRawBufferPointer(start: bytes, count: Int(count))) else { return }
    unsafe AcceptedSessions.of(context)?.forget(number)
}
