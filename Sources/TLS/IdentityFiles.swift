import Identity

/// Where an identity's files are.
public struct IdentityFiles: Hashable, Sendable {
    /// One PEM file of trust anchors.
    public struct TrustBundleFile: Hashable, Sendable {
        public let trustDomain: TrustDomain
        public let path: String

        public init(trustDomain: TrustDomain, path: String) {
            self.trustDomain = trustDomain
            self.path = path
        }
    }

    /// PEM: the SVID, then its intermediates.
    public var certificate: String
    public var privateKey: String
    public var trustBundles: [TrustBundleFile]

    public init(certificate: String, privateKey: String, trustBundles: [TrustBundleFile]) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.trustBundles = trustBundles
    }
}
