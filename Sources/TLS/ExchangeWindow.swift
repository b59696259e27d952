import Identity

/// What the BIO's callbacks see during one call into OpenSSL: bytes not yet read, room to write, and what the
/// verification callback found out about the peer.
///
/// The pointers are set for the length of one call and cleared after it.
@safe
struct ExchangeWindow: ~Copyable {
    var input: UnsafeRawPointer?
    var inputLeftBytes = 0

    var output: UnsafeMutableRawPointer?
    var outputUsedBytes = 0
    var outputCapacityBytes = 0

    var findings = Findings()

    /// What the callbacks of one call find out; one session's findings are never seen by another.
    struct Findings: ~Copyable {
        /// Handshake messages that the peer sent.
        var receivedMessages = 0
        var verifiedPeer: PeerSVID?
        /// SHA-256 of the peer's whole list of certificates, as it came.
        var chainDigest: Digest256?
        /// What was remembered of that list; OpenSSL then parses its leaf alone.
        var rememberedVerdict: ChainMemory.Verdict?
        var refusal: SVIDRefusal?
        var refusedPeer: RefusedPeer?
        /// What the verified leaf rests on, or rested on when the session that is being continued began. What an
        /// earlier call of the same session found is put back before each call.
        var issuers: IssuerPath?
        /// A server name that is none, as the log may show it.
        var invalidServerName: String?
        /// Sessions that a server gave us.
        var newSessions: [KeptSession] = []
        /// Of a handshake that is complete, or about to be.
        var secrets = TrafficSecrets()
    }

    /// How many handshake messages may come in this call.
    var receivedMessagesLimit = Int.max
}
