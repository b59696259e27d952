import Identity

/// What the BIO's callbacks see during one call into OpenSSL: bytes not yet read, room to write, and what the
/// verification callback found out about the peer.
///
/// The pointers are set for the length of one call and cleared after it.
@safe
struct ExchangeWindow {
    var input: UnsafeRawPointer?
    var inputLeftBytes = 0

    var output: UnsafeMutableRawPointer?
    var outputUsedBytes = 0
    var outputCapacityBytes = 0

    /// Handshake messages that the peer sent during the call.
    var receivedMessages = 0
    var receivedMessagesLimit = Int.max

    var verifiedPeer: PeerSVID?
    var refusal: SVIDRefusal?
    /// Set while `TLSSession.refuse` makes OpenSSL send its alert.
    var refusesPeer = false
}
