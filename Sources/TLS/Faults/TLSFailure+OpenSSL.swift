import COpenSSL
import Identity
import Crypto

extension TLSFailure {
    /// The failure that an entry of OpenSSL's error queue stands for.
    init(_ entry: ErrorQueue.Entry) {
        guard entry.library == ERR_LIB_SSL else {
            // libcrypto alone: a point that is not on its curve, a key that does not parse. What it read was the
            // peer's.
            self = .misbehaved(.violation(reason: entry.reason))
            return
        }
        // The reasons 1000 to 1255 are alerts that the peer sent.
        let alert = entry.reason - SSL_AD_REASON_OFFSET
        if (0...255).contains(alert) {
            self = .peerAlert(UInt8(alert))
            return
        }
        self =
            switch entry.reason {
            case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: .plaintextHTTP
            case SSL_R_WRONG_VERSION_NUMBER: .notTLS
            case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: .refused(.noCertificate)

            case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION,
                SSL_R_UNKNOWN_PROTOCOL, SSL_R_NO_PROTOCOLS_AVAILABLE:
                .incompatible(.version)
            case SSL_R_NO_SHARED_CIPHER: .incompatible(.cipher)
            case SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SHARED_GROUPS: .incompatible(.group)
            case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
                SSL_R_NO_SUITABLE_DIGEST_ALGORITHM:
                .incompatible(.signatureAlgorithm)
            case SSL_R_NO_APPLICATION_PROTOCOL: .incompatible(.applicationProtocol)

            case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED, SSL_R_BAD_RECORD_TYPE,
                SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_ENCRYPTED_LENGTH_TOO_LONG, SSL_R_DATA_LENGTH_TOO_LONG,
                SSL_R_LENGTH_TOO_SHORT:
                .misbehaved(.badRecord)
            case SSL_R_UNEXPECTED_MESSAGE: .misbehaved(.unexpectedMessage)
            case SSL_R_EXCESSIVE_MESSAGE_SIZE: .misbehaved(.messageTooLarge)
            case SSL_R_BAD_SIGNATURE, SSL_R_DIGEST_CHECK_FAILED: .misbehaved(.badHandshakeSignature)

            case Int32(ERR_R_MALLOC_FAILURE): .fault(.crypto(.outOfMemory))
            case Int32(ERR_R_INTERNAL_ERROR):
                .fault(.crypto(.refused(call: "libssl", library: entry.library, reason: entry.reason)))
            default: .misbehaved(.violation(reason: entry.reason))
            }
    }
}
