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
}
