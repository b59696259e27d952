public import Identity

/// Where the proxy's own SVID and its trust bundles come from.
public enum IdentitySettings: Equatable, Sendable {
    case files(FileIdentity)
    case workloadAPI(WorkloadIdentity)

    /// The part that a running proxy cannot change.
    public enum Source: Equatable, Sendable {
        case files
        case workloadAPI(WorkloadAddress, hint: String?)
    }

    public var source: Source {
        switch self {
        case .files: .files
        case .workloadAPI(let identity): .workloadAPI(identity.address, hint: identity.hint)
        }
    }
}

/// An identity from the SPIFFE Workload API.
public struct WorkloadIdentity: Hashable, Sendable {
    public var address: WorkloadAddress
    /// The hint of the SVID to use; nil: the first SVID.
    public var hint: String?
    public var revocation: RevocationMode

    public init(address: WorkloadAddress, hint: String? = nil, revocation: RevocationMode) {
        self.address = address
        self.hint = hint
        self.revocation = revocation
    }
}

/// An identity in PEM files. Relative paths are already joined to the settings file's folder.
public struct FileIdentity: Equatable, Sendable {
    public var certificate: String
    /// The same file if it has both.
    public var privateKey: String
    /// One per trust domain, in the order of the file.
    public var trustBundles: [TrustBundleFile]
    /// CRLs, at most one file per trust domain.
    public var revocationLists: [TrustBundleFile]
    public var revocation: RevocationMode

    public init(
        certificate: String, privateKey: String, trustBundles: [TrustBundleFile],
        revocationLists: [TrustBundleFile], revocation: RevocationMode
    ) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.trustBundles = trustBundles
        self.revocationLists = revocationLists
        self.revocation = revocation
    }
}

/// How CRLs are enforced.
public enum RevocationMode: String, Hashable, Sendable, CaseIterable {
    /// CRLs are ignored.
    case off
    /// A certificate on its issuer's CRL is refused.
    case ifPresent
    /// A certificate whose issuer has no CRL, or an expired one, is refused, too.
    case required
}

/// A file of one trust domain: its root certificates, or its CRLs.
public struct TrustBundleFile: Equatable, Sendable {
    public var trustDomain: TrustDomain
    public var path: String

    public init(trustDomain: TrustDomain, path: String) {
        self.trustDomain = trustDomain
        self.path = path
    }
}
