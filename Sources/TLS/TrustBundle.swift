import Identity

/// The trust anchors of one trust domain, as DER; bundles are never pooled.
public struct TrustBundle: Hashable, Sendable {
    public let trustDomain: TrustDomain
    public let certificates: [[UInt8]]
}
