public import Identity

/// Where the proxy's own SVID and its trust bundles come from.
public enum IdentitySettings: Equatable, Sendable {
    case files(FileIdentity)
    case workloadAPI(WorkloadIdentity)

    /// What a running proxy cannot change.
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
    /// Of several SVIDs, the one that the operator calls so; nil: the first.
    public var hint: String?
    public var revocation: RevocationMode

    public init(address: WorkloadAddress, hint: String? = nil, revocation: RevocationMode) {
        self.address = address
        self.hint = hint
        self.revocation = revocation
    }
}

/// An identity in PEM files. Paths are as the process opens them: relative ones already joined to the settings file's
/// folder.
public struct FileIdentity: Equatable, Sendable {
    public var certificate: String
    public var privateKey: String
    /// One a trust domain, in the order of the file.
    public var trustBundles: [TrustBundleFile]
    /// Lists of revoked certificates, at most one file a trust domain.
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

/// What is made of lists of revoked certificates.
public enum RevocationMode: String, Hashable, Sendable, CaseIterable {
    /// They are not looked at.
    case off
    /// Whoever stands in a list of its issuer is refused.
    case ifPresent
    /// Whoever has no list of its issuer, or one that is too old, is refused, too.
    case required
}

/// A file of one trust domain: its roots, or its revoked certificates.
public struct TrustBundleFile: Equatable, Sendable {
    public var trustDomain: TrustDomain
    public var path: String

    public init(trustDomain: TrustDomain, path: String) {
        self.trustDomain = trustDomain
        self.path = path
    }
}
