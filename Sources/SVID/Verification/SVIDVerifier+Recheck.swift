import Crypto
package import Identity
import Synchronization

extension SVIDVerifier {
    /// What asking about a peer again came to.
    package struct Recheck: Equatable, Sendable {
        /// Unix seconds after which the peer's chain is no longer valid.
        package let notAfter: Int64
        /// A path was built, which takes hundreds of times as long as finding the one that is known.
        package let builtPath: Bool
    }

    /// Throws if a new handshake with `peer`, which this or another verifier accepted before, would be refused now for
    /// another cause than time.
    ///
    /// Takes a microsecond where the peer's anchor is still in the bundle. Where it is not, a path is built anew, once
    /// for all peers of one issuer unless a signer constrains names.
    package func recheck(_ peer: PeerSVID) throws(SVIDRefusal) -> Recheck {
        guard let anchors = anchors[peer.id.trustDomain] else { throw .unknownTrustDomain }
        let (path, isBuilt) = try path(of: peer, to: anchors)
        _ = try judge(peer.leaf, path, at: clock())
        if let acceptPeer, !acceptPeer(peer.id) { throw .identityNotExpected }
        return Recheck(notAfter: min(peer.notAfter, path.notAfter), builtPath: isBuilt)
    }

    /// Whether a new handshake with `peer` would be accepted now, time aside.
    package func accepts(_ peer: PeerSVID) -> Bool { (try? recheck(peer)) != nil }

    private func path(
        of peer: PeerSVID, to anchors: TrustAnchors
    ) throws(SVIDRefusal) -> (path: IssuerPath, isBuilt: Bool) {
        if anchors.hold(peer.issuers) { return (peer.issuers, false) }
        let key = Replacement(
            path: peer.issuers.digest, presented: peer.presented.digest, trustDomain: peer.id.trustDomain)
        if let known = state.withLock({ $0.replacements[key] }) { return (try known.get(), false) }
        let built: Result<IssuerPath, SVIDRefusal>
        do throws(SVIDRefusal) {
            built = .success(try build(peer, anchors))
        } catch {
            built = .failure(error)
        }
        if Self.holdsForOthers(built) { state.withLock { $0.replacements.insert(built, for: key) } }
        return (try built.get(), true)
    }

    private func build(_ peer: PeerSVID, _ anchors: TrustAnchors) throws(SVIDRefusal) -> IssuerPath {
        let leaf: Certificate
        let presented: CertificateStack
        do throws(CryptoFault) {
            leaf = try Certificate(parsing: peer.leaf.der)
            presented = try peer.presented.certificates(peer.issuers)
        } catch {
            throw .malformedCertificate
        }
        // An authority that ends is the business of the connection's own end.
        return try anchors.path(of: leaf, presented: presented, .ignored, of: peer.id.trustDomain)
    }

    /// Whether what was found for one leaf is so for every leaf of the same signer.
    private static func holdsForOthers(_ built: Result<IssuerPath, SVIDRefusal>) -> Bool {
        switch built {
        case .success(let path): !path.constrainsNames
        case .failure(.nameConstraint), .failure(.malformedCertificate), .failure(.weakKey), .failure(.invalidChain):
            false
        case .failure: true
        }
    }

    /// Of which path and what was presented beside it, and in whose bundle another was looked for.
    struct Replacement: Hashable {
        let path: Digest256
        let presented: Digest256?
        let trustDomain: TrustDomain
    }
}
