public import Identity

/// Where the proxy's own SVID and its trust bundles come from.
public enum IdentitySettings: Sendable {
    case files(FileIdentity)
    case workloadAPI(WorkloadIdentity)
}

/// An identity from the SPIFFE Workload API.
public struct WorkloadIdentity: Hashable, Sendable {
    public var address: Located<WorkloadAddress>
    /// Of several SVIDs, the one that the operator calls so; nil: the first.
    public var hint: String?
    public var revocation: RevocationMode

    public init(address: Located<WorkloadAddress>, hint: String? = nil, revocation: RevocationMode = .ifPresent) {
        self.address = address
        self.hint = hint
        self.revocation = revocation
    }
}

/// An identity in PEM files. Paths are as the process opens them: relative ones already joined to the settings file's
/// folder. The positions say which setting named each file.
public struct FileIdentity: Sendable {
    public var certificate: Located<String>
    public var privateKey: Located<String>
    /// One a trust domain, in the order of the file.
    public var trustBundles: [TrustBundleFile]
    /// Lists of revoked certificates, at most one file a trust domain.
    public var revocationLists: [TrustBundleFile]
    public var revocation: RevocationMode

    public init(
        certificate: Located<String>, privateKey: Located<String>, trustBundles: [TrustBundleFile],
        revocationLists: [TrustBundleFile] = [], revocation: RevocationMode = .ifPresent
    ) {
        self.certificate = certificate
        self.privateKey = privateKey
        self.trustBundles = trustBundles
        self.revocationLists = revocationLists
        self.revocation = revocation
    }

    /// The settings that name a file.
    public enum FileSetting: Hashable, Sendable {
        case certificate, privateKey
        case trustBundle(TrustDomain)
    }

    /// Where the settings file names a file, so that what is wrong with the file can be told at that place; nil for a
    /// trust domain without a bundle.
    public func position(of setting: FileSetting) -> Position? {
        switch setting {
        case .certificate: certificate.position
        case .privateKey: privateKey.position
        case .trustBundle(let trustDomain): trustBundles.first { $0.trustDomain == trustDomain }?.path.position
        }
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
public struct TrustBundleFile: Sendable {
    public var trustDomain: TrustDomain
    public var path: Located<String>

    public init(trustDomain: TrustDomain, path: Located<String>) {
        self.trustDomain = trustDomain
        self.path = path
    }
}
