import COpenSSL

/// Builds and verifies the path from a leaf to one set of trust anchors: signatures, validity, path lengths, name
/// constraints and the strength of keys (RFC 5280, section 6). Rules for a purpose beyond these are the caller's.
///
/// All calls may come from any thread.
public final class ChainBuilder: Sendable {
    /// How validity periods are checked.
    public enum Time: Sendable {
        /// Unix seconds at which each certificate of the path must be valid.
        case at(Int64)
        case ignored
    }

    private let anchors: CertificateStack

    /// - Parameter anchors: DER; an anchor need not be self-signed.
    public init(anchors: [[UInt8]]) throws(CryptoFault) {
        self.anchors = try CertificateStack(parsing: anchors)
    }

    /// The certificates above `leaf`: the one that signed it first, the anchor last.
    ///
    /// A leaf that is itself an anchor has no path: there is no issuer above it.
    ///
    /// - Parameter presented: candidate intermediates, in any order.
    public func path(
        from leaf: Certificate, through presented: CertificateStack, _ time: Time
    ) throws(ChainFault) -> [Certificate] {
        ErrorQueue.clear()
        defer { ErrorQueue.clear() }
        guard let library = try? CryptoLibrary.shared(),
            let context = unsafe X509_STORE_CTX_new_ex(library.pointer, nil)
        else { throw .outOfMemory }
        // Safe, here and below: the context is freed before the certificates that it refers to, which the caller and
        // this object keep.
        defer { unsafe X509_STORE_CTX_free(context) }
        guard unsafe X509_STORE_CTX_init(context, nil, leaf.pointer, presented.pointer) == 1 else {
            throw .outOfMemory
        }
        unsafe X509_STORE_CTX_set0_trusted_stack(context, anchors.pointer)
        unsafe set(X509_STORE_CTX_get0_param(context), time)
        guard unsafe X509_verify_cert(context) == 1 else { throw unsafe ChainFault(of: context) }
        let chain = unsafe X509_STORE_CTX_get0_chain(context)
        let count = unsafe postern_certs_count(chain)
        guard count >= 2 else { throw .unknownAuthority }
        return (1..<count).map { unsafe Certificate(retaining: postern_certs_at(chain, $0)) }
    }

    private func set(_ parameters: OpaquePointer?, _ time: Time) {
        var flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST
        switch time {
        case .at(let seconds): unsafe X509_VERIFY_PARAM_set_time(parameters, Int(seconds))
        case .ignored: flags |= X509_V_FLAG_NO_CHECK_TIME
        }
        // The purpose is the caller's to check.
        unsafe X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY)
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(flags))
        unsafe X509_VERIFY_PARAM_set_depth(parameters, Self.maximumIntermediates)
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, Self.securityLevel)
    }

    /// 112 bits of security: RSA and DH of 2048 bits, elliptic curves of 224, no SHA-1.
    public static let securityLevel: Int32 = 2
    /// Between the leaf and the anchor.
    public static let maximumIntermediates: Int32 = 5
}
