import COpenSSL

/// Why there is no path from a leaf to an anchor.
public enum ChainFault: Error, Sendable {
    case unknownAuthority, expired, notYetValid, badSignature, weakKey, weakSignature, nameConstraint, pathLength
    case unknownCriticalExtension, chainTooLong, malformedCertificate, signerWithoutKeyCertSign
    /// A certificate that signed another is not a CA.
    case signerNotCA(Certificate?)
    case outOfMemory
    /// Any other fault that OpenSSL found.
    case invalid

    /// - Parameter context: an `X509_STORE_CTX` whose verification has failed.
    init(of context: OpaquePointer) {
        // Safe: the context is alive and keeps the certificate at which it stopped.
        unsafe self.init(
            verificationCode: X509_STORE_CTX_get_error(context),
            at: X509_STORE_CTX_get_current_cert(context).map { unsafe Certificate(retaining: $0) })
    }

    /// - Parameters:
    ///   - verificationCode: of <openssl/x509_vfy.h>.
    ///   - certificate: at which verification stopped.
    init(verificationCode: Int32, at certificate: Certificate?) {
        switch verificationCode {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED, X509_V_ERR_AKID_SKID_MISMATCH,
            X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH, X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
            self = .unknownAuthority
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_CERT_SIGNATURE_FAILURE, X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE: self = .badSignature
        case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL: self = .weakKey
        case X509_V_ERR_CA_MD_TOO_WEAK: self = .weakSignature
        case X509_V_ERR_PERMITTED_VIOLATION, X509_V_ERR_EXCLUDED_VIOLATION, X509_V_ERR_SUBTREE_MINMAX,
            X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX,
            X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
            self = .nameConstraint
        case X509_V_ERR_PATH_LENGTH_EXCEEDED: self = .pathLength
        case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION: self = .unknownCriticalExtension
        case X509_V_ERR_CERT_CHAIN_TOO_LONG: self = .chainTooLong
        case X509_V_ERR_INVALID_CA: self = .signerNotCA(certificate)
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN: self = .signerWithoutKeyCertSign
        case X509_V_ERR_INVALID_EXTENSION, X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD,
            X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
            self = .malformedCertificate
        case X509_V_ERR_OUT_OF_MEM: self = .outOfMemory
        default: self = .invalid
        }
    }
}
