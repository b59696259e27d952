import COpenSSL
import Identity
import Synchronization
import SVID
import System

/// The sessions that a dialling context may offer for resumption: the newest of each endpoint, each offered once.
///
/// All calls may come from any thread.
final class OfferedSessions: Sendable {
    /// A session and the peer that it was established with.
    struct Offer: Sendable {
        let session: KeptSession
        let peer: PeerSVID
    }

    private let offers: Mutex<[SocketAddress?: [Offer]]>
    private let clock: @Sendable () -> Int64
    private let acceptPeer: @Sendable (SPIFFEID) -> Bool

    /// - Parameter acceptPeer: which servers we accept, asked again for each offer.
    init(acceptPeer: @escaping @Sendable (SPIFFEID) -> Bool, clock: @escaping @Sendable () -> Int64) {
        offers = Mutex([:])
        self.acceptPeer = acceptPeer
        self.clock = clock
    }

    /// The sessions of `others` whose servers `verifier` accepts, under what it trusts.
    init(_ others: OfferedSessions, acceptedBy verifier: SVIDVerifier) {
        let all = others.offers.withLock(\.self)
        offers = Mutex(all.mapValues { $0.filter { verifier.accepts($0.peer) } })
        acceptPeer = others.acceptPeer
        clock = others.clock
    }

    /// Keeps a session that the server at `endpoint` gave us.
    func keep(_ session: KeptSession, peer: PeerSVID, endpoint: SocketAddress?) {
        guard session.isTLS13, session.isResumable else { return }
        offers.withLock { offers in
            if offers[endpoint] == nil, offers.count >= Self.maximumEndpoints {
                offers.remove(at: offers.startIndex)
            }
            var kept = offers[endpoint] ?? []
            kept.append(Offer(session: session, peer: peer))
            if kept.count > Self.maximumSessions { kept.removeFirst() }
            offers[endpoint] = kept
        }
    }

    /// Removes and returns the newest session of `endpoint` that is still valid.
    func take(endpoint: SocketAddress?) -> Offer? {
        let now = clock()
        while true {
            guard let offer = offers.withLock({ $0[endpoint]?.popLast() }) else { return nil }
            let age = now - offer.peer.verifiedAt
            guard offer.session.isResumable, acceptPeer(offer.peer.id) else { continue }
            if (0...Self.lifetimeSeconds).contains(age), now <= offer.peer.holdsUntil { return offer }
        }
    }

    /// A server is verified again at least this often.
    static let lifetimeSeconds: Int64 = 3_600
    private static let maximumSessions = 16
    private static let maximumEndpoints = 64
}

extension OfferedSessions {
    /// Makes `context` deliver the sessions that servers give it.
    static func install(on context: OpaquePointer) {
        // Safe: the context is alive; the callback finds its window by the SSL.
        unsafe postern_ctx_set_cache_mode(context, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(context, handOverSession)
    }
}

/// Puts a new session into the window, where `TLSSession.open` finds it. Returns 0: OpenSSL keeps its reference.
private func handOverSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
    // Safe: OpenSSL passes its objects, and the window gets a reference of its own.
    guard let ssl = unsafe ssl, let session = unsafe session, unsafe SSL_SESSION_up_ref(session) == 1 else { return 0 }
    unsafe RecordBIO.window(of: ssl).pointee.findings.newSessions.append(KeptSession(owning: session))
    return 0
}
