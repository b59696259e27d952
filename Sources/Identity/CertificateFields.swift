/// The fields of one certificate that X509-SVID 2-5 constrains, parsed from its DER.
///
/// Signatures, chains, name constraints and validity against a clock are checked elsewhere; these fields are only
/// claims. Parsing takes time linear in the certificate's length.
public struct CertificateFields: Sendable {
    /// The serial number, big-endian, without a leading zero byte (RFC 5280 4.1.2.2).
    public let serialNumber: [UInt8]
    /// The first valid second, in Unix time.
    public let notBefore: Int64
    /// The last valid second, in Unix time.
    public let notAfter: Int64
    private let extensions: CertificateExtensions

    /// Parses `der`, which must be exactly one certificate; throws `.malformedCertificate` only.
    public init(parsing der: Span<UInt8>) throws(SVIDRefusal) {
        guard der.count <= Self.maximumBytes else { throw .malformedCertificate }
        var file = DERReader(der)
        var certificate = DERReader(der, in: try file.next(.sequence))
        try file.finish()
        let signedPart = try certificate.next(.sequence)
        _ = try certificate.next(.sequence)  // signatureAlgorithm
        _ = try DERValues.leadingBits(der, in: try certificate.next(.bitString))  // signatureValue
        try certificate.finish()

        var fields = DERReader(der, in: signedPart)
        let version = try Self.version(&fields)
        serialNumber = try Self.serialNumber(&fields)
        _ = try fields.next(.sequence)  // signature
        _ = try fields.next(.sequence)  // issuer
        var validity = DERReader(der, in: try fields.next(.sequence))
        notBefore = try Self.time(&validity)
        notAfter = try Self.time(&validity)
        try validity.finish()
        _ = try fields.next(.sequence)  // subject
        _ = try fields.next(.sequence)  // subjectPublicKeyInfo
        _ = try fields.nextIfPresent(.issuerUniqueID)
        _ = try fields.nextIfPresent(.subjectUniqueID)
        extensions = try Self.extensions(&fields, version: version)
        try fields.finish()
    }

    /// The SPIFFE ID that the certificate claims: its one URI SAN, which must be a SPIFFE ID (X509-SVID 2).
    public func claimedIdentity() throws(SVIDRefusal) -> SPIFFEID {
        let uris = extensions.alternativeURIs
        guard uris.count > 0 else { throw .noURISAN }
        guard uris.count == 1 else { throw .severalURISANs }
        guard let identity = try? SPIFFEID(parsing: uris.first.span) else { throw .notASPIFFEID }
        return identity
    }

    /// The SPIFFE ID of a leaf that satisfies every rule for leaves (X509-SVID 2, 3.1, 4.1, 4.3, 4.4, 5.2).
    public func leafIdentity() throws(SVIDRefusal) -> SPIFFEID {
        let identity = try claimedIdentity()
        guard identity.hasPath else { throw .leafWithoutPath }
        guard !extensions.isCA else { throw .leafIsCA }
        guard let usage = extensions.keyUsage else { throw .noKeyUsage }
        guard !usage.keyCertSign, !usage.cRLSign else { throw .leafMaySign }
        guard usage.digitalSignature else { throw .noDigitalSignature }
        if let purposes = extensions.extendedKeyUsage {
            guard purposes.serverAuth, purposes.clientAuth else { throw .extendedKeyUsage }
        }
        return identity
    }

    /// Checks every rule for a signing certificate of `trustDomain` (X509-SVID 3.2, 4.1, 4.3).
    ///
    /// It needs no SPIFFE ID. If it has a URI with that scheme, it must be the only URI and name this trust domain.
    public func checkSigning(of trustDomain: TrustDomain) throws(SVIDRefusal) {
        guard extensions.isCA else { throw .signerNotCA }
        guard let usage = extensions.keyUsage else { throw .noKeyUsage }
        guard usage.keyCertSign else { throw .signerWithoutKeyCertSign }
        guard extensions.alternativeURIs.includeSPIFFE else { return }
        guard let identity = try? claimedIdentity() else { throw .signerIDInvalid }
        guard !identity.hasPath else { throw .signerWithPath }
        guard identity.trustDomain == trustDomain else { throw .signerOfOtherDomain }
    }

    /// Splits concatenated DER certificates; nil if there is anything else between them.
    public static func split(_ bytes: [UInt8]) -> [[UInt8]]? {
        var certificates: [[UInt8]] = []
        var reader = DERReader(bytes.span)
        var start = 0
        while !reader.isAtEnd {
            guard let content = try? reader.next(.sequence) else { return nil }
            certificates.append(Array(bytes[start..<content.upperBound]))
            start = content.upperBound
        }
        return certificates
    }

    /// Whether the key may sign CRLs (RFC 5280 4.2.1.3).
    public var maySignRevocationLists: Bool { extensions.keyUsage?.cRLSign ?? false }

    /// The number in the optional version field, 0 (v1) if absent; DER does not write a default.
    private static func version(_ fields: inout DERReader) throws(SVIDRefusal) -> UInt8 {
        guard let explicit = try fields.nextIfPresent(.version) else { return 0 }
        var reader = DERReader(fields.bytes, in: explicit)
        let number = try reader.next(.integer)
        try reader.finish()
        guard number.count == 1, (1...2).contains(fields.bytes[number.lowerBound]) else { throw .malformedCertificate }
        return fields.bytes[number.lowerBound]
    }

    private static func serialNumber(_ fields: inout DERReader) throws(SVIDRefusal) -> [UInt8] {
        let magnitude = try DERValues.magnitude(fields.bytes, in: try fields.next(.integer))
        guard magnitude.count <= maximumSerialNumberBytes else { throw .malformedCertificate }
        let bytes = fields.bytes
        return magnitude.map { bytes[$0] }
    }

    private static func time(_ validity: inout DERReader) throws(SVIDRefusal) -> Int64 {
        if let utc = try validity.nextIfPresent(.utcTime) { return try CertificateTime.utc(validity.bytes, in: utc) }
        return try CertificateTime.generalized(validity.bytes, in: try validity.next(.generalizedTime))
    }

    private static func extensions(
        _ fields: inout DERReader, version: UInt8
    ) throws(SVIDRefusal) -> CertificateExtensions {
        guard let explicit = try fields.nextIfPresent(.extensions) else { return CertificateExtensions() }
        guard version == 2 else { throw .malformedCertificate }
        var reader = DERReader(fields.bytes, in: explicit)
        let sequence = try reader.next(.sequence)
        try reader.finish()
        return try CertificateExtensions(fields.bytes, in: sequence)
    }

    /// Ten times an ordinary certificate; anything longer is refused unparsed.
    private static let maximumBytes = 65_536
    /// RFC 5280 4.1.2.2.
    private static let maximumSerialNumberBytes = 20
}
