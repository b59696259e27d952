import COpenSSL
import Identity

/// What a verified peer certificate says, for authorization and for the access log.
public struct PeerSVID: Hashable, Sendable {
    public let id: SPIFFEID
    /// The serial number in lower-case hex, as in the certificate.
    public let serialHex: String
    /// SHA-256 of the certificate's DER in lower-case hex.
    public let sha256Hex: String
    /// Unix seconds after which the certificate is no longer valid.
    public let notAfter: Int64
    /// Unix seconds after which some certificate of the verified chain is no longer valid.
    public let chainNotAfter: Int64
    /// Unix seconds at which the chain was verified; earlier than the handshake when a session was resumed.
    public internal(set) var verifiedAt: Int64
}

extension PeerSVID {
    /// What `leaf`, whose encoding is `der`, says of a peer whose chain was verified.
    init(_ leaf: CertificateFields, _ der: [UInt8], id: SPIFFEID, chainNotAfter: Int64, verifiedAt: Int64) {
        self.init(
            id: id, serialHex: Hex.text(leaf.serialNumber), sha256Hex: Hex.text(CertificateDER.sha256(der)),
            notAfter: leaf.notAfter, chainNotAfter: chainNotAfter, verifiedAt: verifiedAt)
    }

    /// The peer of an accepting side's session that continues an earlier one: its certificate is the session's.
    ///
    /// The rules of a leaf are checked again; its path was verified when the first session began.
    init?(resumed ssl: OpaquePointer) {
        // Safe: the SSL is alive and keeps its certificate and session.
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl), let session = unsafe SSL_get_session(ssl),
            let data = unsafe SessionTicketData(session)
        else { return nil }
        let der = unsafe CertificateDER.bytes(of: certificate)
        guard let leaf = try? CertificateFields(parsing: der.span), let id = try? leaf.leafIdentity() else {
            return nil
        }
        self.init(leaf, der, id: id, chainNotAfter: data.chainNotAfter, verifiedAt: data.verifiedAt)
    }
}
