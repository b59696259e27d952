import COpenSSL
import Identity

extension CertificateAuthority {
    /// Reads an authority back: its own certificate and its private key, both PEM.
    ///
    /// The certificate must be able to sign (X509-SVID section 4) and carry the SPIFFE ID of its trust domain.
    public init(certificatePEM: String, privateKeyPEM: String) throws(PKIFault) {
        guard let der = PEM.decode("CERTIFICATE", certificatePEM).first else {
            throw .notPEM(expected: "a certificate")
        }
        let key = try KeyPair(pem: privateKeyPEM)
        let domain: TrustDomain
        do throws(SVIDRefusal) {
            let fields = try CertificateFields(parsing: der.span)
            domain = try fields.claimedIdentity().trustDomain
            try fields.checkSigning(of: domain)
        } catch {
            throw .notAnAuthority(reason: "the certificate is not that of an authority: \(error.rawValue)")
        }
        let parts = try CertificateParts(der: der)
        guard parts.subjectPublicKeyInfo == key.subjectPublicKeyInfoDER else {
            throw .notAnAuthority(reason: "the private key does not belong to the certificate")
        }
        self.init(
            trustDomain: domain.name, key: key, certificateDER: der, intermediatesDER: [], rootDER: der,
            subjectName: parts.subjectName)
    }
}

/// What of a certificate its issuing needs, in DER.
private struct CertificateParts {
    let subjectName: [UInt8]
    let subjectPublicKeyInfo: [UInt8]

    init(der: [UInt8]) throws(PKIFault) {
        // OpenSSL reads at most `count` bytes of the array, which outlives the call.
        let decoded = unsafe der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_X509(nil, &cursor, buffer.count)
        }
        guard let certificate = unsafe decoded else { throw lastFault("d2i_X509") }
        // The certificate was made above and is freed once, here; what it lends is used before.
        defer { unsafe X509_free(certificate) }
        let name = unsafe X509_get_subject_name(certificate)
        subjectName = try unsafe encoded("i2d_X509_NAME") { unsafe i2d_X509_NAME(name, $0) }
        let key = unsafe X509_get0_pubkey(certificate)
        subjectPublicKeyInfo = try unsafe encoded("i2d_PUBKEY") { unsafe i2d_PUBKEY(key, $0) }
    }
}
