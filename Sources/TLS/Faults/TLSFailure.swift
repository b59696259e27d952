public import Identity

/// Why a session ended other than by close_notify, classified by who is at fault.
public enum TLSFailure: Error, Hashable, Sendable {
    /// The peer's certificate was refused.
    case refused(SVIDRefusal)
    /// The peer spoke HTTP without TLS.
    case plaintextHTTP
    /// The peer's first bytes are not a TLS record.
    case notTLS
    /// The peer sent this fatal alert.
    case peerAlert(UInt8)
    /// The peer is compliant, but we have no version, cipher, group or protocol in common.
    case incompatible(Incompatibility)
    /// The peer broke the protocol.
    case misbehaved(Misbehaviour)
    /// We ended the session ourselves: nothing more can be opened or sealed.
    case closedByUs
    /// We failed.
    case fault(TLSFault)

    /// What two compliant sides do not have in common.
    public enum Incompatibility: String, Hashable, Sendable, CaseIterable {
        case version = "tls-version"
        case cipher = "tls-cipher"
        case group = "tls-group"
        case signatureAlgorithm = "tls-signature-algorithm"
        case applicationProtocol = "tls-application-protocol"
    }

    /// How a peer broke the protocol.
    public enum Misbehaviour: Hashable, Sendable {
        /// A record that does not decrypt, or whose header is impossible.
        case badRecord
        /// A handshake message out of order.
        case unexpectedMessage
        /// A message over our limits.
        case messageTooLarge
        /// A handshake signature or Finished that does not verify.
        case badHandshakeSignature
        /// The server chose an application protocol that we did not offer.
        case unofferedApplicationProtocol
        /// The client asked for a server name that is not a DNS name; printable.
        case invalidServerName(String)
        /// One read provoked more replies or key updates than a compliant peer needs.
        case tooManyRequests
        /// Anything else, by the reason's number in OpenSSL's <openssl/sslerr.h>.
        case violation(reason: Int32)
    }

    /// A stable word for logs and counters.
    public var code: String {
        switch self {
        case .refused(let refusal): refusal.rawValue
        case .plaintextHTTP: "plaintext-http"
        case .notTLS: "not-tls"
        case .peerAlert: "peer-alert"
        case .incompatible(let what): what.rawValue
        case .misbehaved(let how): how.code
        case .closedByUs: "closed-by-us"
        case .fault: "tls-fault"
        }
    }

    /// One line for a person.
    public var detail: String {
        switch self {
        case .refused(let refusal): "the peer's certificate was refused: \(refusal.rawValue)"
        case .plaintextHTTP: "the peer sent HTTP without TLS"
        case .notTLS: "what the peer sent is not TLS"
        case .peerAlert(let number): "the peer sent the alert \(TLSAlert.name(of: number)) (\(number))"
        case .incompatible(let what): what.detail
        case .misbehaved(let how): how.detail
        case .closedByUs: "this side ended the session"
        case .fault(let fault): fault.description
        }
    }
}

extension TLSFailure.Incompatibility {
    var detail: String {
        switch self {
        case .version: "no TLS version in common"
        case .cipher: "no cipher suite in common"
        case .group: "no key exchange group in common"
        case .signatureAlgorithm: "no signature algorithm in common"
        case .applicationProtocol: "no application protocol (ALPN) in common"
        }
    }
}

extension TLSFailure.Misbehaviour {
    var code: String {
        switch self {
        case .badRecord: "bad-record"
        case .unexpectedMessage: "unexpected-message"
        case .messageTooLarge: "message-too-large"
        case .badHandshakeSignature: "bad-handshake-signature"
        case .unofferedApplicationProtocol: "unoffered-application-protocol"
        case .invalidServerName: "invalid-server-name"
        case .tooManyRequests: "too-many-requests"
        case .violation: "protocol-violation"
        }
    }

    var detail: String {
        switch self {
        case .badRecord: "the peer sent a record that is malformed or does not decrypt"
        case .unexpectedMessage: "the peer sent a handshake message out of order"
        case .messageTooLarge: "the peer sent a message over our limits"
        case .badHandshakeSignature: "the peer's handshake signature or Finished does not verify"
        case .unofferedApplicationProtocol: "the server chose an application protocol that was not offered"
        case .invalidServerName(let name): "the client asked for a server name that is not a DNS name: \"\(name)\""
        case .tooManyRequests: "the peer provoked more replies than a compliant peer needs"
        case .violation(let reason): "the peer broke the protocol (OpenSSL reason \(reason))"
        }
    }
}
