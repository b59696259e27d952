import Crypto
public import Identity

/// A leaf certificate that satisfies every X509-SVID rule for leaves; its signature is verified elsewhere.
///
/// Connections of one peer share one.
public final class SVIDLeaf: Sendable {
    public let id: SPIFFEID
    /// The serial number in lower-case hex, as in the certificate.
    public let serialHex: String
    /// SHA-256 of the certificate's DER in lower-case hex.
    public let sha256Hex: String
    /// Unix seconds between which the certificate is valid, both ends included.
    public let notBefore: Int64
    public let notAfter: Int64
    package let der: [UInt8]
    let serial: SerialNumber

    /// - Parameter fields: those of `certificate`, whose encoding is `der`.
    init(_ certificate: Certificate, _ fields: CertificateFields, _ der: [UInt8]) throws(SVIDRefusal) {
        id = try fields.leafIdentity()
        guard certificate.criticalExtensionsAreProcessed else { throw .unknownCriticalExtension }
        guard let serial = SerialNumber(fields.serialNumber), let digest = Digest256(sha256: der) else {
            throw .malformedCertificate
        }
        self.serial = serial
        self.der = der
        serialHex = Hex.text(fields.serialNumber)
        sha256Hex = Hex.text(digest.bytes)
        notBefore = fields.notBefore
        notAfter = fields.notAfter
    }
}
