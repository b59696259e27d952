package import Crypto
package import Identity
import Synchronization

/// Verifies peers: the path to the bundle of the trust domain that the leaf claims, and to no other, is built and
/// verified; the rules of X509-SVID are then checked over that path.
///
/// A chain is judged by one function, ``judge(_:_:at:)``: in a handshake, when our own SVID is loaded, and when an
/// accepted peer is rechecked.
///
/// All calls may come from any thread. It belongs to one set of bundles and CRLs.
package final class SVIDVerifier: Sendable {
    let anchors: [TrustDomain: TrustAnchors]
    let revocation: RevocationCheck
    let acceptPeer: (@Sendable (SPIFFEID) -> Bool)?
    let clock: @Sendable () -> Int64
    let state = Mutex(State())

    struct State: ~Copyable {
        var memory = ChainMemory()
        /// By their digests, so that peers of one authority share them.
        var issuerPaths = BoundedCache<Digest256, IssuerPath>(capacity: 256)
        /// What took the place of paths whose anchors are no longer in their bundle.
        var replacements = BoundedCache<Replacement, Result<IssuerPath, SVIDRefusal>>(capacity: 1_024)
    }

    /// - Parameters:
    ///   - acceptPeer: which servers a dialling side accepts; nil accepts every trusted peer.
    ///   - clock: Unix seconds, read at each verification.
    package init(
        bundles: [TrustBundle], revocation: Revocation = Revocation(.off),
        acceptPeer: (@Sendable (SPIFFEID) -> Bool)? = nil, clock: @escaping @Sendable () -> Int64
    ) throws(CryptoFault) {
        self.revocation = RevocationCheck(revocation)
        var anchors: [TrustDomain: TrustAnchors] = [:]
        for bundle in bundles { anchors[bundle.trustDomain] = try TrustAnchors(bundle) }
        self.anchors = anchors
        self.acceptPeer = acceptPeer
        self.clock = clock
    }

    package var rememberedChains: Int { state.withLock { $0.memory.count } }

    /// The peer whose chain has this digest, if it was verified before and that holds now.
    package func remembered(_ chain: Digest256) -> PeerSVID? {
        let now = clock()
        return state.withLock { $0.memory.peer(with: chain, now: now) }
    }

    /// Verifies a peer's chain.
    ///
    /// - Parameters:
    ///   - presented: all that the peer presented, with or without its leaf.
    ///   - chain: the digest of what the peer sent, to remember the verdict by.
    ///   - remembered: the earlier verdict on that chain; `presented` is then not examined.
    package func verify(
        _ certificate: Certificate, presented: CertificateStack, chain: Digest256? = nil, remembered: PeerSVID? = nil
    ) throws(SVIDRefusal) -> PeerSVID {
        guard presented.count <= Self.maximumPresentedCertificates else { throw .chainTooLong }
        let now = clock()
        var peer: PeerSVID
        if let remembered {
            peer = remembered
            peer.verifiedAt = now
        } else {
            peer = try verify(certificate, presented, at: now)
            if let chain { state.withLock { $0.memory.remember(peer, with: chain) } }
        }
        if let acceptPeer, !acceptPeer(peer.id) { throw .identityNotExpected }
        return peer
    }

    /// Why `chain` (DER, leaf first) would be refused by a peer with these bundles, or nil.
    func refusal(ofOwn chain: [[UInt8]]) throws(CryptoFault) -> SVIDRefusal? {
        let certificates = try CertificateStack(parsing: chain)
        do throws(SVIDRefusal) {
            _ = try verify(certificates[0], presented: certificates)
            return nil
        } catch {
            return error
        }
    }

    private func verify(
        _ certificate: Certificate, _ presented: CertificateStack, at now: Int64
    ) throws(SVIDRefusal) -> PeerSVID {
        let der = certificate.der
        let fields = try CertificateFields(parsing: der.span)
        let trustDomain = try fields.claimedIdentity().trustDomain
        guard let anchors = anchors[trustDomain] else { throw .unknownTrustDomain }
        let leaf = try SVIDLeaf(certificate, fields, der)
        let path = try anchors.path(of: certificate, presented: presented, .at(now), of: trustDomain)
        let holdsUntil = try judge(leaf, path, at: now)
        let chain = VerifiedChain(
            leaf, shared(path), PresentedCertificates(presented, leaf: certificate, path),
            holdsUntil: min(leaf.notAfter, path.notAfter, holdsUntil))
        return PeerSVID(chain, verifiedAt: now)
    }

    /// Checks the signer rules of the leaf's trust domain along a built path, and every certificate below the anchor
    /// against its issuer's CRL; returns the Unix second until which the CRLs' answer holds.
    func judge(_ leaf: SVIDLeaf, _ path: IssuerPath, at now: Int64) throws(SVIDRefusal) -> Int64 {
        let trustDomain = leaf.id.trustDomain
        var until = Int64.max
        var below = leaf.serial
        for signer in path.signers {
            guard signer.criticalExtensionsAreProcessed else { throw .unknownCriticalExtension }
            try signer.fields.checkSigning(of: trustDomain)
            until = min(until, try revocation.check(below, of: signer, trustDomain, now: now))
            below = signer.serial
        }
        return until
    }

    /// The shared instance of an equal path.
    private func shared(_ path: IssuerPath) -> IssuerPath {
        state.withLock { state in
            if let known = state.issuerPaths[path.digest] { return known }
            state.issuerPaths.insert(path, for: path.digest)
            return path
        }
    }

    /// What a peer may send: the leaf, the intermediates, and a needless anchor.
    package static let maximumPresentedCertificates = 7
}
