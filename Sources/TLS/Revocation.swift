public import Identity

/// The lists of revoked certificates, and what is made of a missing one. Immutable, shared by all workers.
public struct Revocation: Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// No list is looked at.
        case off
        /// Where the issuer has a list, whoever stands in it is refused, however old the list.
        case ifPresent
        /// Each certificate below an anchor needs a list of its issuer that is not too old.
        case required
    }

    public let mode: Mode
    let lists: [TrustDomain: [RevocationList]]

    public init(_ mode: Mode, _ lists: [TrustDomain: [RevocationList]] = [:]) {
        self.mode = mode
        self.lists = lists
    }

    /// Unix seconds at which the next of the lists becomes too old, if that is after `now` and makes a difference.
    public func nextExpiry(after now: Int64) -> Int64? {
        guard mode == .required else { return nil }
        return lists.values.joined().compactMap(\.nextUpdate).filter { $0 >= now }.min()
    }

    func isSame(as other: Revocation) -> Bool {
        mode == other.mode && lists.mapValues { $0.map(\.der) } == other.lists.mapValues { $0.map(\.der) }
    }

    /// Nothing can be refused by it.
    var isIdle: Bool { mode == .off || (mode == .ifPresent && lists.isEmpty) }
}
