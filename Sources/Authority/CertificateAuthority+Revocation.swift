import Crypto

extension CertificateAuthority {
    /// A CRL (RFC 5280, 5) of this authority, in PEM.
    ///
    /// - Parameter serialNumbers: big-endian.
    public func revocationListPEM(
        of serialNumbers: [[UInt8]], validity: Validity = .hours(24), extensions: [RawExtension] = []
    ) throws(PKIFault) -> String {
        let entries = serialNumbers.map {
            DER.sequence(DER.integer($0), DER.time(unixSeconds: validity.notBefore))
        }
        let toBeSigned = DER.sequence(
            DER.integer(1),
            key.signatureAlgorithm,
            subjectName,
            DER.time(unixSeconds: validity.notBefore),
            DER.time(unixSeconds: validity.notAfter),
            entries.isEmpty ? [] : DER.element(0x30, entries.flatMap(\.self)),
            extensions.isEmpty ? [] : DER.explicit(0, DER.element(0x30, extensions.flatMap(\.der))))
        return PEMBlock.encode(
            "X509 CRL", try DER.sequence(toBeSigned, key.signatureAlgorithm, DER.bitString(key.sign(toBeSigned))))
    }
}
