public import Identity

/// The CRLs, and what is made of a missing one. Immutable, shared by all workers.
public struct Revocation: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// No CRL is looked at.
        case off
        /// A certificate on a CRL of its issuer is refused, however old the CRL.
        case ifPresent
        /// Each certificate below an anchor needs a CRL of its issuer that is not too old.
        case required
    }

    public let mode: Mode
    let lists: [TrustDomain: [RevocationList]]

    public init(_ mode: Mode, _ lists: [TrustDomain: [RevocationList]] = [:]) {
        self.mode = mode
        self.lists = lists
    }

    /// Unix seconds at which the next of the CRLs becomes too old, if that is after `now` and makes a difference.
    public func nextExpiry(after now: Int64) -> Int64? {
        guard mode == .required else { return nil }
        return lists.values.joined().compactMap(\.nextUpdate).filter { $0 >= now }.min()
    }

    /// Nothing can be refused by it.
    var isIdle: Bool { mode == .off || (mode == .ifPresent && lists.isEmpty) }
}
