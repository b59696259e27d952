import Identity
import Crypto
import SVID

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

    /// What the callbacks of one call find out; no session sees another one's findings.
    struct Findings: ~Copyable {
        /// Handshake messages that the peer sent.
        var receivedMessages = 0
        /// The peer whose chain was verified.
        var verifiedPeer: PeerSVID?
        /// The peer of the session that the client asks to resume.
        var continuedPeer: PeerSVID?
        /// SHA-256 of the peer's whole list of certificates, as it came.
        var chainDigest: Digest256?
        /// The remembered peer with that chain, if there is one; OpenSSL then parses its leaf alone.
        var rememberedPeer: PeerSVID?
        var refusal: SVIDRefusal?
        var refusedPeer: RefusedPeer?
        /// An invalid server name, escaped for the log.
        var invalidServerName: String?
        /// Sessions that a server gave us.
        var newSessions: [KeptSession] = []
        /// The secrets of a handshake that is complete, or about to be.
        var secrets = TrafficSecrets()

        /// The peer of a session established now: a chain verified now takes precedence over an earlier one.
        var peer: PeerSVID? { verifiedPeer ?? continuedPeer }
    }

    /// How many handshake messages may come in this call.
    var receivedMessagesLimit = Int.max
}
