import COpenSSL

/// What a session remembers of the verification that began it; copied from session to session as they are continued.
struct SessionTicketData: Equatable {
    /// Unix seconds at which the peer's chain was verified.
    let verifiedAt: Int64
    /// Unix seconds after which some certificate of the verified path is no longer valid.
    let chainNotAfter: Int64

    init(verifiedAt: Int64, chainNotAfter: Int64) {
        self.verifiedAt = verifiedAt
        self.chainNotAfter = chainNotAfter
    }

    init(_ peer: PeerSVID) {
        self.init(verifiedAt: peer.verifiedAt, chainNotAfter: peer.chainNotAfter)
    }

    /// What `session` remembers, if it was made here.
    init?(_ session: OpaquePointer) {
        // Safe: the bytes belong to the session and are copied at once.
        var data: UnsafeMutableRawPointer?
        var count = 0
        guard unsafe SSL_SESSION_get0_ticket_appdata(session, &data, &count) == 1, count == 16, let data = unsafe data
        else { return nil }
        verifiedAt = unsafe data.loadUnaligned(fromByteOffset: 0, as: Int64.self)
        chainNotAfter = unsafe data.loadUnaligned(fromByteOffset: 8, as: Int64.self)
    }

    /// Makes `session` remember this.
    func store(in session: OpaquePointer) {
        // Safe: OpenSSL copies the 16 bytes.
        var words = (verifiedAt, chainNotAfter)
        _ = unsafe withUnsafeBytes(of: &words) { unsafe SSL_SESSION_set1_ticket_appdata(session, $0.baseAddress, 16) }
    }
}
