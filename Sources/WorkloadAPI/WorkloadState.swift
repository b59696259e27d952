public import Identity

/// The workload's state, assembled from the messages of the Workload API. Pure.
///
/// Each message replaces the previous one of its call: what is absent has been withdrawn. Bundles that the server sends
/// by their own call take precedence over those in SVID messages.
public struct WorkloadState: Hashable, Sendable {
    public private(set) var svids: X509SVIDMessage?
    public private(set) var bundles: X509BundlesMessage?

    public init() {}

    public mutating func take(_ message: X509SVIDMessage) { svids = message }

    public mutating func take(_ message: X509BundlesMessage) { bundles = message }

    /// The server has withdrawn everything from the workload.
    public mutating func withdraw() {
        svids = nil
        bundles = nil
    }

    /// Every bundle to trust with this SVID, that of its own trust domain included.
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
