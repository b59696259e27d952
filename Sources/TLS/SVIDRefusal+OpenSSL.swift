import COpenSSL
import Identity

extension SVIDRefusal {
    /// The refusal that a verdict of OpenSSL's path building stands for.
    init(verificationCode: Int32) {
        self =
            switch verificationCode {
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED,
                X509_V_ERR_AKID_SKID_MISMATCH, X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH,
                X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
                .unknownAuthority
            case X509_V_ERR_CERT_HAS_EXPIRED: .expired
            case X509_V_ERR_CERT_NOT_YET_VALID: .notYetValid
            case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: .badSignature
            case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL: .weakKey
            case X509_V_ERR_CA_MD_TOO_WEAK: .weakSignature
            case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_SUBTREE_MINMAX,
                X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
                X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
                .nameConstraint
            case X509_V_ERR_PATH_LENGTH_EXCEEDED: .pathLength
            case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: .unknownCriticalExtension
            case X509_V_ERR_CERT_CHAIN_TOO_LONG: .chainTooLong
            case X509_V_ERR_INVALID_CA: .signerNotCA
            case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: .signerWithoutKeyCertSign
            case X509_V_ERR_INVALID_EXTENSION, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
                X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
                .malformedCertificate
            default: .invalidChain
            }
    }

    /// The verdict to hand to OpenSSL so that the alert it sends fits this refusal (RFC 8446, section 6.2).
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
        case .revocationUnknown: X509_V_ERR_UNSPECIFIED  // certificate_unknown
        }
    }
}
