import COpenSSL
import Identity
import Synchronization

/// Looks certificates up in the lists of their issuers. A list counts only where its signature is the issuer's own.
///
/// All calls may come from any thread.
final class RevocationCheck: Sendable {
    private let revocation: Revocation
    /// The lists that are an issuer's own.
    private let listsOfIssuer = Mutex(BoundedCache<Issuer, [RevocationList]>(capacity: 256))

    private struct Issuer: Hashable {
        /// Of its certificate.
        let digest: Digest256
        let trustDomain: TrustDomain
    }

    init(_ revocation: Revocation) { self.revocation = revocation }

    var isIdle: Bool { revocation.isIdle }

    /// Throws if the certificate with this number, signed by `issuer`, may not be used at `now`; returns the Unix
    /// second until which that answer holds.
    func check(
        _ serial: SerialNumber, of issuer: OpaquePointer, _ trustDomain: TrustDomain, now: Int64
    ) throws(SVIDRefusal) -> Int64 {
        guard !revocation.isIdle else { return .max }
        let lists = unsafe lists(of: issuer, trustDomain)
        guard !lists.contains(where: { $0.contains(serial) }) else { throw .revoked }
        guard revocation.mode == .required else { return .max }
        let until = lists.filter { $0.thisUpdate <= now }.map { $0.nextUpdate ?? .max }.max()
        guard let until, now <= until else { throw .revocationUnknown }
        return until
    }

    // MARK: Private

    private func lists(of issuer: OpaquePointer, _ trustDomain: TrustDomain) -> [RevocationList] {
        guard let candidates = revocation.lists[trustDomain] else { return [] }
        // Safe: the issuer's certificate is alive for the length of the call.
        let der = unsafe CertificateDER.bytes(of: issuer)
        guard let digest = unsafe der.withUnsafeBytes({ unsafe Digest256(sha256: $0) }) else { return [] }
        let key = Issuer(digest: digest, trustDomain: trustDomain)
        if let known = listsOfIssuer.withLock({ $0[key] }) { return known }
        let own = candidates.filter { unsafe Self.isOwn($0, of: issuer, der) }
        listsOfIssuer.withLock { $0.insert(own, for: key) }
        return own
    }

    /// Whether `issuer` signed the list, and may.
    static func isOwn(_ list: RevocationList, of issuer: OpaquePointer, _ issuerDER: [UInt8]) -> Bool {
        guard unsafe isNamed(list, issuer), let fields = try? CertificateFields(parsing: issuerDER.span),
            fields.maySignRevocationLists, let library = try? CryptoLibrary.shared()
        else { return false }
        defer { ErrorQueue.clear() }
        // Safe: the certificate is alive; d2i reads within the array, and what it made is freed once.
        return unsafe list.der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            var parsed = unsafe X509_CRL_new_ex(library.pointer, nil)
            guard unsafe parsed != nil, unsafe d2i_X509_CRL(&parsed, &cursor, bytes.count) != nil else {
                unsafe X509_CRL_free(parsed)
                return false
            }
            defer { unsafe X509_CRL_free(parsed) }
            return unsafe X509_CRL_verify(parsed, X509_get0_pubkey(issuer)) == 1
        }
    }

    /// Whether the list speaks in the name of `issuer`.
    static func isNamed(_ list: RevocationList, _ issuer: OpaquePointer) -> Bool {
        // Safe: the name is the certificate's, which is alive; i2d writes as many bytes as it said before.
        let subject = unsafe X509_get_subject_name(issuer)
        let count = unsafe Int(i2d_X509_NAME(subject, nil))
        guard count == list.issuer.count else { return false }
        var name = [UInt8](repeating: 0, count: count)
        unsafe name.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            unsafe _ = i2d_X509_NAME(subject, &cursor)
        }
        return name == list.issuer
    }
}
