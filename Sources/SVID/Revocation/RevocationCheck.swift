import Crypto
import Identity
import Synchronization

/// Looks certificates up in the CRLs of their issuers. A CRL counts only if the issuer itself signed it.
///
/// All calls may come from any thread.
final class RevocationCheck: Sendable {
    private let revocation: Revocation
    /// The CRLs that each issuer itself signed.
    private let listsOfIssuer = Mutex(BoundedCache<Issuer, [RevocationList]>(capacity: 256))

    private struct Issuer: Hashable {
        /// SHA-256 of its certificate.
        let digest: Digest256
        let trustDomain: TrustDomain
    }

    init(_ revocation: Revocation) { self.revocation = revocation }

    /// Throws if the certificate with this number, signed by `issuer`, may not be used at `now`; returns the Unix
    /// second until which that answer holds.
    func check(
        _ serial: SerialNumber, of issuer: IssuerPath.Signer, _ trustDomain: TrustDomain, now: Int64
    ) throws(SVIDRefusal) -> Int64 {
        guard !revocation.isIdle else { return .max }
        let lists = lists(of: issuer, trustDomain)
        guard !lists.contains(where: { $0.contains(serial) }) else { throw .revoked }
        guard revocation.mode == .required else { return .max }
        let until = lists.filter { $0.thisUpdate <= now }.map { $0.nextUpdate ?? .max }.max()
        guard let until, now <= until else { throw .revocationUnknown }
        return until
    }

    private func lists(of issuer: IssuerPath.Signer, _ trustDomain: TrustDomain) -> [RevocationList] {
        let candidates = revocation.candidates(trustDomain)
        guard !candidates.isEmpty else { return [] }
        let key = Issuer(digest: issuer.digest, trustDomain: trustDomain)
        if let known = listsOfIssuer.withLock({ $0[key] }) { return known }
        let own = candidates.filter { $0.isOwn(of: issuer.certificate, issuer.fields) }
        listsOfIssuer.withLock { $0.insert(own, for: key) }
        return own
    }
}

extension RevocationList {
    /// Whether `issuer` signed the CRL and may sign CRLs.
    func isOwn(of issuer: Certificate, _ fields: CertificateFields) -> Bool {
        isNamed(for: issuer) && fields.maySignRevocationLists && issuer.hasSigned(revocationList: der)
    }

    /// Whether the CRL's issuer name is the certificate's subject.
    func isNamed(for certificate: Certificate) -> Bool { certificate.subjectDER == issuer }
}
