public import Identity

/// The paths of an identity's files.
public struct IdentityFiles: Hashable, Sendable {
    /// A file of one trust domain: its anchors, or its CRLs.
    public struct DomainFile: Hashable, Sendable {
        public let trustDomain: TrustDomain
        public let path: String

        public init(trustDomain: TrustDomain, path: String) {
            self.trustDomain = trustDomain
            self.path = path
        }
    }

    /// PEM: the SVID, then its intermediates.
    public var certificate: String
    /// PEM. May be the same file, in which the key is before, between or behind the certificates.
    public var privateKey: String
    public var trustBundles: [DomainFile]
    /// One file of CRLs per trust domain: PEM, or one CRL in DER.
    public var revocationLists: [DomainFile]
    public var revocation: Revocation.Mode

    public init(
        certificate: String, privateKey: String, trustBundles: [DomainFile],
        revocationLists: [DomainFile] = [], revocation: Revocation.Mode = .ifPresent
    ) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.trustBundles = trustBundles
        self.revocationLists = revocationLists
        self.revocation = revocation
    }
}
