import COpenSSL
public import Identity

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
    /// Unix seconds after which the chain must be verified anew: then, or when a list of revoked certificates is too
    /// old.
    let holdsUntil: Int64
    /// What the leaf rested on.
    let issuers: IssuerPath
    /// Unix seconds at which the chain was verified; earlier than the handshake when a session was resumed.
    public internal(set) var verifiedAt: Int64
}

extension PeerSVID {
    /// What `leaf`, whose encoding is `der`, says of a peer whose chain was verified.
    init(
        _ leaf: CertificateFields, _ der: [UInt8], id: SPIFFEID, issuers: IssuerPath, chainNotAfter: Int64,
        holdsUntil: Int64, verifiedAt: Int64
    ) {
        self.init(
            id: id, serialHex: Hex.text(leaf.serialNumber), sha256Hex: Hex.text(CertificateDER.sha256(der)),
            notAfter: leaf.notAfter, chainNotAfter: chainNotAfter, holdsUntil: holdsUntil, issuers: issuers,
            verifiedAt: verifiedAt)
    }

    /// The peer of an accepting side's session that continues an earlier one: its certificate is the session's.
    ///
    /// The rules of a leaf are checked again; its path was verified when the first session began.
    ///
    /// - Parameter issuers: what it rested on then.
    init?(resumed ssl: OpaquePointer, _ issuers: IssuerPath) {
        // Safe: the SSL is alive and keeps its certificate and session.
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl), let session = unsafe SSL_get_session(ssl),
            let data = unsafe SessionTicketData(session), data.issuers == issuers.digest
        else { return nil }
        let der = unsafe CertificateDER.bytes(of: certificate)
        guard let leaf = try? CertificateFields(parsing: der.span), let id = try? leaf.leafIdentity() else {
            return nil
        }
        self.init(
            leaf, der, id: id, issuers: issuers, chainNotAfter: data.chainNotAfter, holdsUntil: data.holdsUntil,
            verifiedAt: data.verifiedAt)
    }

    /// Big-endian, as in the certificate.
    var serialNumber: [UInt8] { Hex.bytes(serialHex) }
}
