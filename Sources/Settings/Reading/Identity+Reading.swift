import Identity

extension SettingsReader {
    mutating func identity(_ node: Node) -> IdentitySettings? {
        guard let fields = fields(node, section: "identity") else { return nil }
        let lists = value(of: "revocationLists", in: fields, default: []) {
            $0.trustDomainFiles($1, "list", remedy: "so the key says nothing: leave it out")
        }
        let revocation = value(of: "revocation", in: fields, default: RevocationMode.ifPresent) { $0.choice($1) }
        guard let files = required("files", in: fields) else { return nil }
        guard var identity = fileIdentity(files) else { return nil }
        identity.revocationLists = lists
        identity.revocation = revocation
        return .files(identity)
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

    private mutating func trustDomain(_ text: String, at position: Position) -> TrustDomain? {
        do throws(SPIFFEIDFlaw) {
            return try TrustDomain(parsing: text)
        } catch {
            return refuse("trust domain \(quoted(text)): \(error)", at: position)
        }
    }
}
