import Identity

extension SettingsReader {
    mutating func identity(_ root: Fields) -> IdentitySettings? {
        guard let node = root[RootKeys.identity] else {
            if let address = environmentAddress(at: root.position) {
                return .workloadAPI(WorkloadIdentity(address: address, revocation: IdentityKeys.revocation.fallback))
            }
            _ = required(RootKeys.identity, in: root)
            return nil
        }
        guard let fields = fields(node, of: IdentityKeys.section) else { return nil }
        let lists = given(IdentityKeys.revocationLists, in: fields) ?? []
        let revocation = value(of: IdentityKeys.revocation, in: fields)
        bundleEndpoints = given(IdentityKeys.federation, in: fields).flatMap { federation($0) } ?? []
        let workload = given(IdentityKeys.workloadAPI, in: fields)
        let hint = given(IdentityKeys.hint, in: fields)
        if fields[IdentityKeys.files] != nil, fields[IdentityKeys.workloadAPI] != nil {
            error(
                "\(IdentityKeys.files) and \(IdentityKeys.workloadAPI) exclude each other: leave one out",
                at: fields.position)
        }
        if let files = fields[IdentityKeys.files] {
            refuse(IdentityKeys.hint, in: fields, "files hold only one SVID")
            return fileIdentity(files, revocationLists: lists, revocation).map { .files($0) }
        }
        refuse(IdentityKeys.revocationLists, in: fields, "the Workload API delivers them")
        let address = fields.speaks(of: IdentityKeys.workloadAPI) ? workload : environmentAddress(insteadOf: fields)
        return address.map { .workloadAPI(WorkloadIdentity(address: $0, hint: hint, revocation: revocation)) }
    }

    mutating func workloadAddress(_ node: Node) -> WorkloadAddress? {
        let expected = "an address such as unix:/run/spire/agent.sock"
        guard let text = text(node, expected: expected) else { return nil }
        do throws(WorkloadAddressFlaw) {
            return try WorkloadAddress(parsing: text)
        } catch {
            return refuse("expected \(expected), found \(quoted(text)): \(error)", at: node.position)
        }
    }

    /// The address from the environment, for a section that names none.
    private mutating func environmentAddress(insteadOf fields: Fields) -> WorkloadAddress? {
        guard !fields.speaks(of: IdentityKeys.files) else { return nil }
        if let address = environmentAddress(at: fields.position) { return address }
        return refuse(
            "no identity: name its \(IdentityKeys.files) or the \(IdentityKeys.workloadAPI), or set "
                + "SPIFFE_ENDPOINT_SOCKET",
            at: fields.position)
    }

    /// The address in SPIFFE_ENDPOINT_SOCKET (SPIFFE Workload Endpoint 4); reports a flawed one.
    private mutating func environmentAddress(at position: Position) -> WorkloadAddress? {
        guard let endpointSocket else { return nil }
        do throws(WorkloadAddressFlaw) {
            return try WorkloadAddress(parsing: endpointSocket)
        } catch {
            return refuse("SPIFFE_ENDPOINT_SOCKET is \(quoted(endpointSocket)): \(error)", at: position)
        }
    }

    private mutating func fileIdentity(
        _ node: Node, revocationLists: [TrustBundleFile], _ revocation: RevocationMode
    ) -> FileIdentity? {
        guard let fields = fields(node, of: FileKeys.section) else { return nil }
        let certificate = required(FileKeys.certificate, in: fields)
        let privateKey = fields.speaks(of: FileKeys.privateKey) ? given(FileKeys.privateKey, in: fields) : certificate
        let trustBundles = required(FileKeys.trustBundles, in: fields)
        let named = trustBundles.map { Set($0.map(\.trustDomain)) }
        let polled = bundleEndpoints.map(\.trustDomain)
        trustDomains = named?.union(polled)
        for list in revocationLists { warnIfUnused(list) }
        guard let certificate, let privateKey, let trustBundles, let named else { return nil }
        for trustDomain in polled where named.contains(trustDomain) && !flaws.isFull {
            error(
                "the trust domain \(quoted(trustDomain.name)) has a bundle in \(FileKeys.trustBundles) already",
                at: sources.bundleURL(of: trustDomain))
        }
        return FileIdentity(
            certificate: certificate, privateKey: privateKey, trustBundles: trustBundles,
            revocationLists: revocationLists, revocation: revocation)
    }

    /// CRLs of a trust domain that nobody is verified by.
    private mutating func warnIfUnused(_ list: TrustBundleFile) {
        guard let trustDomains, !trustDomains.contains(list.trustDomain) else { return }
        let name = list.trustDomain.name
        warn(
            "no peer is checked by these CRLs: \(FileKeys.trustBundles) has no bundle for \(quoted(name))"
                + suggestion(for: name, among: trustDomains.map(\.name)),
            at: sources.revocationList(of: list.trustDomain))
    }

    mutating func trustDomainFiles(_ node: Node, _ kind: String, remedy: String) -> [TrustBundleFile]? {
        guard let mapping = mapping(node, expected: "a mapping of trust domains to paths") else { return nil }
        guard !mapping.entries.isEmpty || !mapping.isComplete else {
            return refuse("no \(kind), \(remedy)", at: node.position)
        }
        var isSound = mapping.isComplete
        var bundles: [TrustBundleFile] = []
        for entry in mapping.entries {
            let trustDomain = self.trustDomain(entry.key, at: entry.keyPosition)
            if let path = path(entry.value), let trustDomain {
                bundles.append(TrustBundleFile(trustDomain: trustDomain, path: path))
            } else {
                isSound = false
            }
        }
        return isSound ? bundles : nil
    }

    mutating func trustDomain(_ text: String, at position: Position) -> TrustDomain? {
        do throws(SPIFFEIDFlaw) {
            return try TrustDomain(parsing: text)
        } catch {
            return refuse("trust domain \(quoted(text)): \(error)", at: position)
        }
    }
}
