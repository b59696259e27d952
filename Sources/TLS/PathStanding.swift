import COpenSSL
import Identity

/// How an issuer path stands with a bundle other than the one that it was verified with.
///
/// Sendable by hand: nothing changes the certificates once they are parsed, and OpenSSL counts its references
/// atomically.
final class PathStanding: @unchecked Sendable {
    /// From the certificate that signed the leaf up to the anchor.
    let certificates: CertificateStack
    /// Of those certificates, in order.
    let serials: [SerialNumber]
    /// Unix seconds after which one of them is no longer valid.
    let notAfter: Int64

    /// Finds the path to `bundle` that a new handshake of the same peer would find.
    ///
    /// Time is not looked at: an authority that ends is the business of the connection's own end.
    init(_ issuers: IssuerPath, in bundle: borrowing CertificateStack, _ trustDomain: TrustDomain) throws(SVIDRefusal) {
        defer { ErrorQueue.clear() }
        let known = try Self.stack(issuers.path + issuers.presented)
        let anchor = unsafe Self.anchor(like: known.certificate(at: 0), in: bundle)
        let ders = if let anchor { [anchor] } else { try Self.build(known, bundle) }
        certificates = try Self.stack(ders)
        var serials: [SerialNumber] = []
        var notAfter = Int64.max
        for (index, der) in ders.enumerated() {
            let certificate = unsafe certificates.certificate(at: index)
            guard unsafe CriticalExtensions.allProcessed(in: certificate) else { throw .unknownCriticalExtension }
            // The leaf is not here to be compared with names that did not constrain it before.
            let isNew = !issuers.path.contains(der)
            guard unsafe !isNew || X509_get_ext_by_NID(certificate, NID_name_constraints, -1) < 0 else {
                throw .nameConstraint
            }
            let pathLength = unsafe X509_get_pathlen(certificate)
            guard pathLength < 0 || index <= pathLength else { throw .pathLength }
            let fields = try CertificateFields(parsing: der.span)
            try fields.checkSigning(of: trustDomain)
            guard let serial = SerialNumber(fields.serialNumber) else { throw .malformedCertificate }
            serials.append(serial)
            notAfter = min(notAfter, fields.notAfter)
        }
        self.serials = serials
        self.notAfter = notAfter
    }

    /// The DER of the anchor that is this very certificate, or has its name and key.
    private static func anchor(like issuer: OpaquePointer, in bundle: borrowing CertificateStack) -> [UInt8]? {
        var likeness: [UInt8]?
        for index in 0..<bundle.count {
            // Safe: both certificates are alive, and the comparisons only read.
            let anchor = unsafe bundle.certificate(at: index)
            guard unsafe X509_NAME_cmp(X509_get_subject_name(anchor), X509_get_subject_name(issuer)) == 0,
                unsafe EVP_PKEY_eq(X509_get0_pubkey(anchor), X509_get0_pubkey(issuer)) == 1
            else { continue }
            let der = unsafe CertificateDER.bytes(of: anchor)
            if unsafe X509_cmp(anchor, issuer) == 0 { return der }
            likeness = likeness ?? der
        }
        return likeness
    }

    /// Builds the path of the first of `known` to an anchor; the others may lie between.
    private static func build(
        _ known: borrowing CertificateStack, _ bundle: borrowing CertificateStack
    ) throws(SVIDRefusal) -> [[UInt8]] {
        // Safe: the store context is freed before the certificates that it refers to, which the caller keeps.
        guard let library = try? CryptoLibrary.shared(),
            let context = unsafe X509_STORE_CTX_new_ex(library.pointer, nil)
        else { throw .unknownAuthority }
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_CTX_init(context, nil, known.certificate(at: 0), known.pointer) == 1 else {
            throw .unknownAuthority
        }
        unsafe X509_STORE_CTX_set0_trusted_stack(context, bundle.pointer)
        let parameters = unsafe X509_STORE_CTX_get0_param(context)
        let flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_NO_CHECK_TIME
        unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY)
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(flags))
        // One less than with the leaf.
        unsafe X509_VERIFY_PARAM_set_depth(parameters, PeerVerifier.maximumIntermediates - 1)
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, PeerVerifier.securityLevel)
        guard unsafe X509_verify_cert(context) == 1 else {
            throw unsafe SVIDRefusal(verificationCode: X509_STORE_CTX_get_error(context))
        }
        let path = unsafe X509_STORE_CTX_get0_chain(context)
        return unsafe (0..<postern_certs_count(path)).map {
            unsafe CertificateDER.bytes(of: postern_certs_at(path, $0))
        }
    }

    private static func stack(_ ders: [[UInt8]]) throws(SVIDRefusal) -> CertificateStack {
        do throws(TLSFault) { return try CertificateStack(ders) } catch { throw .malformedCertificate }
    }
}
