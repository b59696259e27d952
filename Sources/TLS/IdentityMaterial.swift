public import Identity

/// One verified set of identity files: an SVID with its key and the bundles of the trust domains that it trusts.
///
/// Plain bytes, so that every worker makes its own OpenSSL objects from them.
public struct IdentityMaterial: Sendable {
    public let id: SPIFFEID
    /// Unix seconds.
    public let notBefore: Int64
    /// Unix seconds after which the SVID is no longer valid.
    public let notAfter: Int64
    /// Told apart from every other set that this process loaded.
    public let generation: UInt64
    /// DER; the SVID first, then its intermediates.
    public let chain: [[UInt8]]
    public let trustBundles: [TrustBundle]
    public let revocation: Revocation
    let privateKey: PrivateKeyBytes

    /// The sum of a chain's certificates that we send; peers refuse longer messages.
    static let maximumChainBytes = 16 * 1024 - 256
}

extension IdentityMaterial {
    /// Whether both came of the same contents, whatever their generations.
    public func isSame(as other: IdentityMaterial?) -> Bool {
        guard let other else { return false }
        return chain == other.chain && trustBundles == other.trustBundles && revocation.isSame(as: other.revocation)
            && privateKey.isSame(as: other.privateKey)
    }

    /// What loading came to: no material when any flaw is an error.
    public struct LoadOutcome: Sendable {
        public let material: IdentityMaterial?
        public let flaws: [IdentityFileFlaw]
    }

    /// Loads and checks `files` as of `now` (Unix seconds), and reports every flaw in one go.
    public static func load(_ files: IdentityFiles, generation: UInt64, now: Int64) -> LoadOutcome {
        var loader = IdentityLoader(now: now)
        let material = loader.load(files, generation: generation)
        let failed = loader.flaws.contains { $0.severity == .error }
        return LoadOutcome(material: failed ? nil : material, flaws: loader.flaws)
    }
}
