import COpenSSL
import Identity
import Synchronization

extension PeerVerifier {
    /// Throws if a new handshake with `peer`, which was accepted before, would be refused now for another cause than
    /// time. Returns the Unix second after which its chain is no longer valid.
    ///
    /// The signature of its leaf was verified when it was accepted; the path above is verified once an issuer, so that
    /// a peer more takes a microsecond.
    func recheck(_ peer: PeerSVID) throws(SVIDRefusal) -> Int64 {
        let trustDomain = peer.id.trustDomain
        guard let bundle = bundles[trustDomain] else { throw .unknownTrustDomain }
        let standing = try standing(peer.issuers, in: bundle, trustDomain)
        if !revocation.isIdle {
            let now = clock()
            guard let serial = SerialNumber(peer.serialNumber) else { throw .malformedCertificate }
            var below = serial
            for index in 0..<standing.certificates.count {
                // Safe: the stack keeps its certificates for the length of the call.
                let issuer = unsafe standing.certificates.certificate(at: index)
                _ = try unsafe revocation.check(below, of: issuer, trustDomain, now: now)
                below = standing.serials[index]
            }
        }
        if let acceptPeer, !acceptPeer(peer.id) { throw .identityNotExpected }
        return min(peer.notAfter, standing.notAfter)
    }

    private func standing(
        _ issuers: IssuerPath, in bundle: AnchorStore, _ trustDomain: TrustDomain
    ) throws(SVIDRefusal) -> PathStanding {
        let key = Standing(issuers: issuers.digest, trustDomain: trustDomain)
        if let known = state.withLock({ $0.standings[key] }) { return try known.get() }
        let found: Result<PathStanding, SVIDRefusal>
        do throws(SVIDRefusal) {
            found = .success(try PathStanding(issuers, in: bundle.certificates, trustDomain))
        } catch {
            found = .failure(error)
        }
        state.withLock { $0.standings.insert(found, for: key) }
        return try found.get()
    }

    /// What a path was looked at for.
    struct Standing: Hashable {
        let issuers: Digest256
        let trustDomain: TrustDomain
    }
}
