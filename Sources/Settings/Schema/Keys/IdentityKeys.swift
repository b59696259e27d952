import Identity

/// The keys of `identity`.
enum IdentityKeys {
    static let workloadAPI = Key<WorkloadAddress>(
        "workloadAPI", ValueType("unix:/path | tcp://IP:port") { $0.workloadAddress($1) },
        "The address of the SPIFFE Workload API; without this and files, SPIFFE_ENDPOINT_SOCKET is used.")
    static let hint = Key<String>(
        "hint", ValueType("text") { $0.text($1, expected: "the hint of an SVID") },
        "Selects the Workload API's SVID with this hint; without it, the first.")
    static let files = Key<Node>("files", .mapping(FileKeys.section), "The identity in PEM files.")
    static let revocationLists = Key<[TrustBundleFile]>(
        "revocationLists",
        .trustDomainFiles { $0.trustDomainFiles($1, "CRL", remedy: "so the key has no effect: leave it out") },
        "One file of CRLs per trust domain: PEM, or one CRL in DER.")
    static let revocation = Key<RevocationMode>(
        "revocation", .choice,
        "ifPresent refuses a certificate on its issuer's CRL; required also one whose issuer has no CRL or "
            + "only an expired one."
    ).or(.ifPresent)
    static let federation = Key<Node>(
        "federation", .mapping(of: "trust domains to mappings", "DOMAIN", FederationKeys.section),
        "Federated trust domains, whose bundles are polled from their bundle endpoints.")

    static let section = Section([
        .key(workloadAPI), .key(hint), .key(files), .key(revocationLists), .key(revocation), .key(federation),
    ])
}

/// The keys of `identity.files`.
enum FileKeys {
    static let certificate = Key<String>(
        "certificate", .path, need: .required, "The SVID: leaf first, then intermediates.")
    static let privateKey = Key<String>(
        "privateKey", .path, "The private key of the leaf; without this, it is in the certificate's file.")
    static let trustBundles = Key<[TrustBundleFile]>(
        "trustBundles",
        .trustDomainFiles {
            $0.trustDomainFiles($1, "trust bundle", remedy: "so no peer could be trusted: name at least one")
        },
        need: .required, "One file of root certificates per trust domain; bundles are never merged.")

    static let section = Section([.key(certificate), .key(privateKey), .key(trustBundles)])
}

/// The keys of a trust domain in `identity.federation`.
enum FederationKeys {
    static let url = Key<HTTPSURL>(
        "url", ValueType("https URL") { $0.url($1) }, need: .required, "The bundle endpoint.")
    static let profile = Key<Profile>(
        "profile", .choice, need: .required,
        "How the endpoint is authenticated: by host name and web PKI, or by SPIFFE ID.")
    static let authorities = Key<String>(
        "authorities", .path, "https_web only: a PEM file of root certificates instead of the system's.")
    static let endpointID = Key<SPIFFEID>(
        "endpointID", ValueType("SPIFFE ID") { $0.spiffeID($1) }, need: .requiredWhen("with https_spiffe"),
        "The SPIFFE ID of the endpoint.")
    static let bundle = Key<String>(
        "bundle", .path, need: .requiredWhen("with https_spiffe"),
        "A PEM file of root certificates that authenticate the endpoint until it has delivered its own bundle.")
    static let staleAfter = Key<Int>(
        "staleAfter", .duration(10_000...30 * 86_400_000),
        "After this long without a successful poll, the trust domain is no longer trusted."
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
