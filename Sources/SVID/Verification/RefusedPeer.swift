package import Crypto
public import Identity

/// What the certificate of a refused peer claims, for whoever investigates later.
///
/// Nothing of it is proven unless ``isVerified``: anybody can make a certificate with these claims.
public final class RefusedPeer: Sendable {
    /// The chain was verified, but the identity is not an expected one.
    public let isVerified: Bool
    /// The SPIFFE ID of its one URI SAN; nil if it has none.
    public let id: SPIFFEID?
    /// All its alternative names as OpenSSL prints them, where it has no SPIFFE ID: `DNS:a.example, URI:spiffe://...`.
    public let names: String?
    /// In lower-case hex, as in the certificate; nil if the certificate cannot be parsed, as for `notAfter`.
    public let serialHex: String?
    /// SHA-256 of the certificate's DER in lower-case hex.
    public let sha256Hex: String?
    /// The issuer's name, its parts separated by slashes; unprintable characters are escaped.
    public let issuer: String?
    /// Unix seconds.
    public let notAfter: Int64?

    package init(leaf: Certificate, isVerified: Bool) {
        let der = leaf.der
        let fields = try? CertificateFields(parsing: der.span)
        self.isVerified = isVerified
        id = try? fields?.claimedIdentity()
        names = id == nil ? leaf.alternativeNamesText : nil
        serialHex = fields.map { Hex.text($0.serialNumber) }
        sha256Hex = Digest256(sha256: der).map { Hex.text($0.bytes) }
        issuer = leaf.issuerText
        notAfter = fields?.notAfter
    }
}
