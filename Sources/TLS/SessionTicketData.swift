import COpenSSL

/// What a session remembers of the verification that began it; copied from session to session as they are continued.
struct SessionTicketData: Equatable {
    /// Unix seconds at which the peer's chain was verified.
    let verifiedAt: Int64
    /// Unix seconds after which some certificate of the verified path is no longer valid.
    let chainNotAfter: Int64
    /// Those of the context at that time.
    let generations: SessionGenerations

    init(verifiedAt: Int64, chainNotAfter: Int64, generations: SessionGenerations) {
        self.verifiedAt = verifiedAt
        self.chainNotAfter = chainNotAfter
        self.generations = generations
    }

    init(_ peer: PeerSVID, _ generations: SessionGenerations) {
        self.init(verifiedAt: peer.verifiedAt, chainNotAfter: peer.chainNotAfter, generations: generations)
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
        generations = SessionGenerations(identity: words.2, revocation: words.3, policy: words.4)
    }

    /// Makes `session` remember this.
    func store(in session: OpaquePointer) {
        // Safe: OpenSSL copies the words; there is nothing between them.
        var words: Words = (
            verifiedAt, chainNotAfter, generations.identity, generations.revocation, generations.policy
        )
        _ = unsafe withUnsafeBytes(of: &words) {
            unsafe SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, $0.count)
        }
    }

    private typealias Words = (Int64, Int64, UInt64, UInt64, UInt64)
}
