public import Identity

/// The CRLs, and how to treat a missing one. Immutable, shared by all workers.
public struct Revocation: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// CRLs are not checked.
        case off
        /// A certificate on its issuer's CRL is refused, however old the CRL.
        case ifPresent
        /// Each certificate below an anchor needs a CRL of its issuer that is not stale.
        case required
    }

    public let mode: Mode
    /// Of whoever they are: a CRL counts where its signature is that of a certificate's issuer.
    let lists: Lists
    /// Where something is wrong with one of them: those that were in force before, so that nobody is let in again for
    /// it.
    let upheld: Lists

    /// CRLs by the trust domain that their source says they are for.
    struct Lists: Hashable, Sendable {
        var ofDomain: [TrustDomain: [RevocationList]] = [:]
        /// Where it does not say.
        var ofAny: [RevocationList] = []

        var isEmpty: Bool { ofDomain.values.allSatisfy(\.isEmpty) && ofAny.isEmpty }
        var all: [RevocationList] { Array(ofDomain.values.joined()) + ofAny }

        /// These and `others`; where they are more than `limit` an issuer, the newest of them.
        func merged(with others: Lists, limit: Int) -> Lists {
            var merged = Lists(ofAny: Self.merged(ofAny, others.ofAny, limit))
            for domain in Set(ofDomain.keys).union(others.ofDomain.keys) {
                merged.ofDomain[domain] = Self.merged(ofDomain[domain] ?? [], others.ofDomain[domain] ?? [], limit)
            }
            return merged
        }

        private static func merged(
            _ one: [RevocationList], _ other: [RevocationList], _ limit: Int
        ) -> [RevocationList] {
            let known = Set(one)
            let all = one + other.filter { !known.contains($0) }
            var counts: [[UInt8]: Int] = [:]
            return all.sorted { $0.thisUpdate > $1.thisUpdate }.filter { list in
                counts[list.issuer, default: 0] += 1
                return counts[list.issuer]! <= limit
            }
        }

        func candidates(_ domain: TrustDomain) -> [RevocationList] { (ofDomain[domain] ?? []) + ofAny }
    }

    public init(_ mode: Mode, _ lists: [TrustDomain: [RevocationList]] = [:]) {
        self.init(mode, Lists(ofDomain: lists), upheld: Lists())
    }

    init(_ mode: Mode, _ lists: Lists, upheld: Lists) {
        self.mode = mode
        self.lists = lists
        self.upheld = upheld
    }

    /// What stays in force beside what comes next, where that is flawed. Bounded, however long that goes on: of one
    /// issuer's name there are few CRLs at a time.
    var toUphold: Lists { lists.merged(with: upheld, limit: Self.upheldAnIssuer) }

    private static let upheldAnIssuer = 8

    /// The CRLs that may be of an issuer of this trust domain.
    func candidates(_ domain: TrustDomain) -> [RevocationList] {
        let current = lists.candidates(domain)
        guard !upheld.isEmpty else { return current }
        let known = Set(current)
        return current + upheld.candidates(domain).filter { !known.contains($0) }
    }

    /// Unix seconds at which the next CRL becomes stale, if that is after `now` and makes a difference.
    public func nextExpiry(after now: Int64) -> Int64? {
        guard mode == .required else { return nil }
        return (lists.all + upheld.all).compactMap(\.nextUpdate).filter { $0 >= now }.min()
    }

    /// Nothing can be refused by it.
    var isIdle: Bool { mode == .off || (mode == .ifPresent && lists.isEmpty && upheld.isEmpty) }
}
