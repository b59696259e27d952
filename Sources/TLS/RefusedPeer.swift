import COpenSSL
public import Identity

/// What the certificate of a refused peer says, for whoever looks for it later.
///
/// Nothing of it is proven unless ``isVerified``: anybody can write a certificate that says this.
public final class RefusedPeer: Sendable {
    /// The chain was good, and the identity not one that was expected.
    public let isVerified: Bool
    /// The SPIFFE ID of its one URI SAN; nil where it has none.
    public let id: SPIFFEID?
    /// All its alternative names as OpenSSL prints them, where it has no SPIFFE ID: `DNS:a.example, URI:spiffe://...`.
    public let names: String?
    /// In lower-case hex, as in the certificate; nil where the certificate cannot be parsed, as for `notAfter`.
    public let serialHex: String?
    /// SHA-256 of the certificate's DER in lower-case hex.
    public let sha256Hex: String
    /// The issuer's name, its parts divided by slashes; what is not printable is escaped.
    public let issuer: String?
    /// Unix seconds.
    public let notAfter: Int64?

    /// - Parameter leaf: an `X509` that is alive for the length of the call.
    init(leaf: OpaquePointer, isVerified: Bool) {
        let der = unsafe CertificateDER.bytes(of: leaf)
        let fields = try? CertificateFields(parsing: der.span)
        self.isVerified = isVerified
        id = try? fields?.claimedIdentity()
        names = id == nil ? unsafe Self.names(of: leaf) : nil
        serialHex = fields.map { Hex.text($0.serialNumber) }
        sha256Hex = Hex.text(CertificateDER.sha256(der))
        issuer = unsafe Self.issuer(of: leaf)
        notAfter = fields?.notAfter
    }

    private static func issuer(of leaf: OpaquePointer) -> String? {
        guard let name = unsafe X509_get_issuer_name(leaf) else { return nil }
        // Safe: the call writes a C string of at most so many bytes, with its end.
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: issuerLimitBytes) { buffer in
            guard unsafe X509_NAME_oneline(name, buffer.baseAddress, Int32(buffer.count)) != nil else { return nil }
            let text = unsafe String(cString: buffer.baseAddress!)
            return text.isEmpty ? nil : text
        }
    }

    private static func names(of leaf: OpaquePointer) -> String? {
        let index = unsafe X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1)
        guard index >= 0, let field = unsafe X509_get_ext(leaf, index), let output = unsafe BIO_new(BIO_s_mem()) else {
            return nil
        }
        // Safe: the BIO is freed here, after its bytes were copied.
        defer { unsafe _ = BIO_free(output) }
        guard unsafe X509V3_EXT_print(output, field, 0, 0) == 1 else { return nil }
        let text = unsafe [UInt8](unsafeUninitializedCapacity: namesLimitBytes) { buffer, count in
            count = unsafe Int(max(0, BIO_read(output, buffer.baseAddress, Int32(buffer.count))))
        }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    private static let namesLimitBytes = 512
    private static let issuerLimitBytes = 256
}
