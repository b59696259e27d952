import Crypto
import Identity

extension CertificateAuthority {
    /// Reads an authority back: its own certificate and its private key, both PEM.
    ///
    /// The certificate must be able to sign (X509-SVID section 4) and carry the SPIFFE ID of its trust domain.
    public init(certificatePEM: String, privateKeyPEM: String) throws(PKIFault) {
        let blocks = (try? PEMBlock.parse(Array(certificatePEM.utf8))) ?? []
        guard let der = blocks.first(where: { $0.label == "CERTIFICATE" })?.bytes else {
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
        let certificate = try PKIFault.translating { () throws(CryptoFault) in try Crypto.Certificate(parsing: der) }
        guard certificate.publicKeyDER == key.subjectPublicKeyInfoDER else {
            throw .notAnAuthority(reason: "the private key does not belong to the certificate")
        }
        self.init(
            trustDomain: domain.name, key: key, certificateDER: der, intermediatesDER: [], rootDER: der,
            subjectName: certificate.subjectDER)
    }
}
