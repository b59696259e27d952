import Identity

extension SettingsReader {
    /// - Parameter node: nil where the file has no such section.
    mutating func identity(_ node: Node?, of root: Fields) -> IdentitySettings? {
        guard let node else {
            if let address = environmentAddress(at: root.position) { return .workloadAPI(address) }
            _ = required("identity", in: root)
            return nil
        }
        guard let fields = fields(node, section: "identity") else { return nil }
        let lists = value(of: "revocationLists", in: fields, default: []) {
            $0.trustDomainFiles($1, "list", remedy: "so the key says nothing: leave it out")
        }
        let revocation = value(of: "revocation", in: fields, default: RevocationMode.ifPresent) { $0.choice($1) }
        let federation = value(of: "federation", in: fields, default: []) { $0.federation($1) }
        bundleEndpoints = federation
        let workload = fields["workloadAPI"].flatMap { self.workloadAddress($0) }
        let hint: String? = value(of: "hint", in: fields, default: nil) { $0.text($1, expected: "the hint of an SVID") }
        if fields["files"] != nil, fields["workloadAPI"] != nil {
            error("`files` and `workloadAPI` exclude each other: leave one out", at: fields.position)
        }
        if let files = fields["files"] {
            refuse("hint", in: fields, "files have one SVID only")
            let identity = fileIdentity(files)
            trustDomains?.formUnion(federation.map(\.trustDomain))
            guard var identity else { return nil }
            for endpoint in federation
            where identity.trustBundles.contains(where: { $0.trustDomain == endpoint.trustDomain }) {
                error(
                    "the trust domain \(quoted(endpoint.trustDomain.name)) has a bundle in `trustBundles` already",
                    at: endpoint.url.position)
            }
            identity.revocationLists = lists
            identity.revocation = revocation
            return .files(identity)
        }
        refuse("revocationLists", in: fields, "the Workload API hands them out itself")
        if fields.speaks(of: "workloadAPI") {
            return workload.map { .workloadAPI(WorkloadIdentity(address: $0, hint: hint, revocation: revocation)) }
        }
        guard !fields.speaks(of: "files"), var identity = environmentAddress(at: fields.position) else {
            if !fields.speaks(of: "files") {
                error(
                    "no identity: name its `files` or the `workloadAPI`, or set SPIFFE_ENDPOINT_SOCKET",
                    at: fields.position)
            }
            return nil
        }
        identity.hint = hint
        identity.revocation = revocation
        return .workloadAPI(identity)
    }

    private mutating func workloadAddress(_ node: Node) -> Located<WorkloadAddress>? {
        let expected = "an address such as unix:/run/spire/agent.sock"
        guard let text = text(node, expected: expected) else { return nil }
        do throws(WorkloadAddressFlaw) {
            return Located(try WorkloadAddress(parsing: text), at: node.position)
        } catch {
            return refuse("expected \(expected), found \(quoted(text)): \(error)", at: node.position)
        }
    }

    /// What SPIFFE_ENDPOINT_SOCKET names (SPIFFE Workload Endpoint 4); a flawed one is told of.
    private mutating func environmentAddress(at position: Position) -> WorkloadIdentity? {
        guard let endpointSocket else { return nil }
        do throws(WorkloadAddressFlaw) {
            return WorkloadIdentity(address: Located(try WorkloadAddress(parsing: endpointSocket), at: position))
        } catch {
            return refuse("SPIFFE_ENDPOINT_SOCKET is \(quoted(endpointSocket)): \(error)", at: position)
        }
    }

    private mutating func fileIdentity(_ node: Node) -> FileIdentity? {
        guard let fields = fields(node, section: "identity.files") else { return nil }
        let certificate = required("certificate", in: fields).flatMap { path($0) }
        let privateKey = required("privateKey", in: fields).flatMap { path($0) }
        let trustBundles = required("trustBundles", in: fields).flatMap {
            trustDomainFiles($0, "trust bundle", remedy: "so no peer could be trusted: name at least one")
        }
        trustDomains = trustBundles.map { Set($0.map(\.trustDomain)) }
        guard let certificate, let privateKey, let trustBundles else { return nil }
        return FileIdentity(certificate: certificate, privateKey: privateKey, trustBundles: trustBundles)
    }

    private mutating func trustDomainFiles(_ node: Node, _ kind: String, remedy: String) -> [TrustBundleFile]? {
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
