import Crypto
package import Identity
import Synchronization

extension SVIDVerifier {
    /// Throws if a new handshake with `peer`, which this or another verifier accepted before, would be refused now for
    /// another cause than time; returns the Unix second after which its chain is no longer valid.
    ///
    /// Takes a microsecond where the peer's anchor is still in the bundle. Where it is not, a path is built anew, once
    /// for all peers of one issuer.
    package func recheck(_ peer: PeerSVID) throws(SVIDRefusal) -> Int64 {
        guard let anchors = anchors[peer.id.trustDomain] else { throw .unknownTrustDomain }
        let path = try path(of: peer, to: anchors)
        _ = try judge(peer.leaf, path, at: clock())
        if let acceptPeer, !acceptPeer(peer.id) { throw .identityNotExpected }
        return min(peer.notAfter, path.notAfter)
    }

    private func path(of peer: PeerSVID, to anchors: TrustAnchors) throws(SVIDRefusal) -> IssuerPath {
        if anchors.hold(peer.issuers) { return peer.issuers }
        let key = Replacement(path: peer.issuers.digest, trustDomain: peer.id.trustDomain)
        if let known = state.withLock({ $0.replacements[key] }) { return known }
        let leaf: Certificate
        let presented: CertificateStack
        do throws(CryptoFault) {
            leaf = try Certificate(parsing: peer.leaf.der)
            presented = try CertificateStack(parsing: peer.issuers.presented)
        } catch {
            throw .malformedCertificate
        }
        // An authority that ends is the business of the connection's own end.
        let path = try anchors.path(of: leaf, presented: presented, .ignored, of: peer.id.trustDomain)
        // Whose leaf the same certificate signed has the same path, unless names make a difference.
        if !path.constrainsNames { state.withLock { $0.replacements.insert(path, for: key) } }
        return path
    }

    /// Of which path, and in whose bundle another was looked for.
    struct Replacement: Hashable {
        let path: Digest256
        let trustDomain: TrustDomain
    }
}
