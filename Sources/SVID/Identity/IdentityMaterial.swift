package import Crypto
public import Identity

/// One verified identity: an SVID with its key and the bundles of the trust domains that it trusts.
///
/// Plain bytes, so that every worker makes its own OpenSSL objects from them.
public struct IdentityMaterial: Equatable, Sendable {
    public let id: SPIFFEID
    /// Unix seconds.
    public let notBefore: Int64
    /// Unix seconds after which the SVID is no longer valid.
    public let notAfter: Int64
    /// DER; the SVID first, then its intermediates.
    public let chain: [[UInt8]]
    public let trustBundles: [TrustBundle]
    public let revocation: Revocation
    package let privateKey: PrivateKeyBytes

    /// The total size of the chain that we send; peers refuse longer messages.
    static let maximumChainBytes = 16 * 1024 - 256
}
