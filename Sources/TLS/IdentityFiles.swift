public import Identity

/// Where an identity's files are.
public struct IdentityFiles: Hashable, Sendable {
    /// One file of a trust domain: of its anchors, or of its revoked certificates.
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
    /// One file of lists of revoked certificates a trust domain, PEM or one list in DER.
    public var revocationLists: [TrustBundleFile]
    public var revocation: Revocation.Mode

    public init(
        certificate: String, privateKey: String, trustBundles: [TrustBundleFile],
        revocationLists: [TrustBundleFile] = [], revocation: Revocation.Mode = .ifPresent
    ) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.trustBundles = trustBundles
        self.revocationLists = revocationLists
        self.revocation = revocation
    }
}
