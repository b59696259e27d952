import COpenSSL
import Identity

extension SVIDRefusal {
    /// The verification error that makes OpenSSL send the fitting alert for this refusal (RFC 8446, section 6.2).
    var verificationCode: Int32 {
        switch self {
        case .expired, .notYetValid: X509_V_ERR_CERT_HAS_EXPIRED  // certificate_expired
        case .unknownTrustDomain, .unknownAuthority, .signerNotCA, .signerWithoutKeyCertSign, .signerWithPath,
            .signerIDInvalid, .signerOfOtherDomain, .pathLength, .chainTooLong, .invalidChain:
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY  // unknown_ca
        case .badSignature: X509_V_ERR_CERT_SIGNATURE_FAILURE  // decrypt_error
        case .noKeyUsage, .noDigitalSignature, .leafMaySign, .extendedKeyUsage, .unknownCriticalExtension:
            X509_V_ERR_INVALID_PURPOSE  // unsupported_certificate
        case .malformedCertificate, .noURISAN, .severalURISANs, .notASPIFFEID, .leafWithoutPath, .leafIsCA, .weakKey,
            .weakSignature, .nameConstraint, .noCertificate, .identityNotExpected:
            X509_V_ERR_CERT_REJECTED  // bad_certificate
        case .revoked: X509_V_ERR_CERT_REVOKED  // certificate_revoked
        // certificate_unknown, as all that OpenSSL has no other alert for.
        case .revocationUnknown: X509_V_ERR_DIFFERENT_CRL_SCOPE
        }
    }
}
