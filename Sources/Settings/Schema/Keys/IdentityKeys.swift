import Identity

/// The keys of `identity`.
enum IdentityKeys {
    static let workloadAPI = Key<WorkloadAddress>(
        "workloadAPI", ValueType("unix:/path | tcp://IP:port") { $0.workloadAddress($1) },
        "Where the SPIFFE Workload API hands the identity out; without this and files, SPIFFE_ENDPOINT_SOCKET says.")
    static let hint = Key<String>(
        "hint", ValueType("text") { $0.text($1, expected: "the hint of an SVID") },
        "Of several SVIDs of the Workload API, the one of this hint; without it, the first.")
    static let files = Key<Node>("files", .mapping(FileKeys.section), "The identity in PEM files.")
    static let revocationLists = Key<[TrustBundleFile]>(
        "revocationLists",
        .trustDomainFiles { $0.trustDomainFiles($1, "list", remedy: "so the key says nothing: leave it out") },
        "One file of revoked certificates (CRLs) a trust domain: PEM, or one list in DER.")
    static let revocation = Key<RevocationMode>(
        "revocation", .choice,
        "ifPresent refuses whoever stands in a list of its issuer; required also whoever has no list of its "
            + "issuer that is not too old."
    ).or(.ifPresent)
    static let federation = Key<Node>(
        "federation", .mapping(of: "trust domains to mappings", "DOMAIN", FederationKeys.section),
        "Further trust domains, whose bundles are polled where they publish them.")

    static let section = Section([
        .key(workloadAPI), .key(hint), .key(files), .key(revocationLists), .key(revocation), .key(federation),
    ])
}

/// The keys of `identity.files`.
enum FileKeys {
    static let certificate = Key<String>(
        "certificate", .path, need: .required, "The SVID: leaf first, then intermediates.")
    static let privateKey = Key<String>("privateKey", .path, need: .required, "The private key of the leaf.")
    static let trustBundles = Key<[TrustBundleFile]>(
        "trustBundles",
        .trustDomainFiles {
            $0.trustDomainFiles($1, "trust bundle", remedy: "so no peer could be trusted: name at least one")
        },
        need: .required, "One file of root certificates a trust domain; they are never pooled.")

    static let section = Section([.key(certificate), .key(privateKey), .key(trustBundles)])
}

/// The keys of a trust domain in `identity.federation`.
enum FederationKeys {
    static let url = Key<HTTPSURL>(
        "url", ValueType("https URL") { $0.url($1) }, need: .required, "The bundle endpoint.")
    static let profile = Key<Profile>(
        "profile", .choice, need: .required,
        "How the endpoint is known: by its name and the web's authorities, or by its SPIFFE ID.")
    static let authorities = Key<String>(
        "authorities", .path, "https_web only: a PEM file of root certificates instead of the system's.")
    static let endpointID = Key<SPIFFEID>(
        "endpointID", ValueType("SPIFFE ID") { $0.spiffeID($1) }, need: .requiredWhen("with https_spiffe"),
        "The endpoint's own.")
    static let bundle = Key<String>(
        "bundle", .path, need: .requiredWhen("with https_spiffe"),
        "A PEM file of the authorities that the endpoint is known by, until its own bundle takes their place.")
    static let staleAfter = Key<Int>(
        "staleAfter", .duration(10_000...30 * 86_400_000),
        "Without a good answer for this long, the trust domain is trusted no more."
    ).or(86_400_000)

    static let section = Section([
        .key(url), .key(profile), .key(authorities), .key(endpointID), .key(bundle), .key(staleAfter),
    ])

    /// SPIFFE Federation 5.2.
    enum Profile: String, CaseIterable {
        case web = "https_web"
        case spiffe = "https_spiffe"
    }
}

extension ValueType<[TrustBundleFile]> {
    fileprivate static func trustDomainFiles(read: @escaping Read) -> Self {
        ValueType("mapping of trust domains to paths", read: read)
    }
}
