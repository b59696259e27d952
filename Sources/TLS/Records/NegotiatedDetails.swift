import COpenSSL
import Crypto

/// What a handshake agreed on, kept for when OpenSSL's object is gone.
struct NegotiatedDetails {
    let cipher: RecordCipher
    let resumed: Bool
    let serverName: String?
    let applicationProtocol: String?
    /// The number of the session that an accepting side may continue later.
    let session: Digest256?
    let recordLimit: RecordLimit
}
