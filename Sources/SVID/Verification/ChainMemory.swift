import Crypto

/// The peers that a verifier has accepted, by the digests of their chains, so that a returning peer is not verified
/// again each time.
///
/// It belongs to one verifier, hence to one set of bundles and CRLs. The handshake still proves that the peer has the
/// leaf's key; and a chain is remembered only while every certificate on its path is valid.
struct ChainMemory {
    private var peers = BoundedCache<Digest256, PeerSVID>(capacity: capacity)

    var count: Int { peers.count }

    /// The peer with this chain, as verified before, if that still holds at `now` (Unix seconds).
    mutating func peer(with chain: Digest256, now: Int64) -> PeerSVID? {
        guard let peer = peers[chain] else { return nil }
        guard peer.chainNotBefore <= now, now <= peer.holdsUntil else {
            peers.remove(chain)
            return nil
        }
        return peer
    }

    mutating func remember(_ peer: PeerSVID, with chain: Digest256) { peers.insert(peer, for: chain) }

    private static let capacity = 512
}
