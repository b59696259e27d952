import COpenSSL

/// What a session remembers of the verification that began it; copied from session to session as they are continued.
struct SessionTicketData: Equatable {
    /// Unix seconds at which the peer's chain was verified.
    let verifiedAt: Int64
    /// Unix seconds after which some certificate of the verified path is no longer valid.
    let chainNotAfter: Int64
    /// Unix seconds after which the peer must be verified anew.
    let holdsUntil: Int64
    /// The digest of the certificates above the peer's.
    let issuers: Digest256
    /// Those of the context at that time.
    let generations: SessionGenerations

    init(_ peer: PeerSVID, _ generations: SessionGenerations) {
        verifiedAt = peer.verifiedAt
        chainNotAfter = peer.chainNotAfter
        holdsUntil = peer.holdsUntil
        issuers = peer.issuers.digest
        self.generations = generations
    }

    /// What `session` remembers, if it was made here.
    init?(_ session: OpaquePointer) {
        // Safe: the bytes belong to the session and are copied at once.
        var data: UnsafeMutableRawPointer?
        var count = 0
        guard unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1,
            count == MemoryLayout<Words>.size, let data = unsafe data
        else { return nil }
        let words = unsafe data.loadUnaligned(as: Words.self)
        verifiedAt = words.0
        chainNotAfter = words.1
        holdsUntil = words.2
        generations = SessionGenerations(identity: words.3, revocation: words.4, policy: words.5)
        issuers = words.6
    }

    /// Makes `session` remember this.
    func store(in session: OpaquePointer) {
        // Safe: OpenSSL copies the words; there is nothing between them.
        var words: Words = (
            verifiedAt, chainNotAfter, holdsUntil, generations.identity, generations.revocation, generations.policy,
            issuers
        )
        _ = unsafe withUnsafeBytes(of: &words) {
            unsafe SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, $0.count)
        }
    }

    private typealias Words = (Int64, Int64, Int64, UInt64, UInt64, UInt64, Digest256)
}
