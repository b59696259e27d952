import COpenSSL
import Crypto

/// What a handshake negotiated, kept beyond the life of OpenSSL's object.
struct NegotiatedDetails {
    let cipher: RecordCipher
    let keyExchange: KeyExchangeGroup?
    let resumed: Bool
    let serverName: String?
    let applicationProtocol: String?
    /// The ID of the session that an accepting side may resume later.
    let session: Digest256?
    let recordLimit: RecordLimit
}
