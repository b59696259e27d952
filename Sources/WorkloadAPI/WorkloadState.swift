public import Identity

/// What the Workload API has said so far, put together. Pure.
///
/// Each message is the whole truth of its call: what is absent has been withdrawn. Where the server tells of bundles by
/// themselves, theirs are the ones that count.
public struct WorkloadState: Hashable, Sendable {
    public private(set) var svids: X509SVIDMessage?
    public private(set) var bundles: X509BundlesMessage?

    public init() {}

    public mutating func take(_ message: X509SVIDMessage) { svids = message }

    public mutating func take(_ message: X509BundlesMessage) { bundles = message }

    /// The server no longer gives the workload anything.
    public mutating func withdraw() {
        svids = nil
        bundles = nil
    }

    /// Every bundle to trust beside this SVID.
    public func bundles(beside svid: WorkloadSVID) -> [TrustDomain: [UInt8]] {
        let own = svid.id.trustDomain
        guard let bundles else {
            var all = svids?.federatedBundles ?? [:]
            all[own] = svid.bundle
            return all
        }
        var all = bundles.bundles
        if all[own] == nil { all[own] = svid.bundle }
        return all
    }

    public var revocationLists: [[UInt8]] {
        var lists: [[UInt8]] = []
        for list in (svids?.revocationLists ?? []) + (bundles?.revocationLists ?? []) where !lists.contains(list) {
            lists.append(list)
        }
        return lists
    }
}
