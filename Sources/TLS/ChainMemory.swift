/// The chains that a verifier has found good, so that a peer that comes back is not verified anew each time.
///
/// It belongs to one verifier, hence to one set of bundles, and is emptied with a new list of revoked certificates. The
/// handshake still proves that the peer has the leaf's key; and a chain is remembered only while every certificate on
/// its path is valid.
struct ChainMemory {
    /// What was found out about a chain.
    struct Verdict {
        var peer: PeerSVID
        /// Unix seconds from which all certificates of the path are valid.
        let notBefore: Int64
    }

    private var verdicts = BoundedCache<Digest256, Verdict>(capacity: capacity)

    var count: Int { verdicts.count }

    /// The verdict on the chain with this digest, if it holds at `now` (Unix seconds).
    mutating func verdict(on chain: Digest256, now: Int64) -> Verdict? {
        guard let verdict = verdicts[chain] else { return nil }
        guard (verdict.notBefore...max(verdict.notBefore, verdict.peer.holdsUntil)).contains(now) else {
            verdicts.remove(chain)
            return nil
        }
        return verdict
    }

    mutating func remember(_ verdict: Verdict, on chain: Digest256) {
        verdicts.insert(verdict, for: chain)
    }

    private static let capacity = 512
}
