import Identity

extension SettingsReader {
    /// Reads the bundle endpoints of federated trust domains; none without the section.
    mutating func federation(_ node: Node) -> [BundleEndpoint]? {
        guard let mapping = mapping(node, expected: "a mapping of trust domains to bundle endpoints") else {
            return nil
        }
        guard !mapping.entries.isEmpty || !mapping.isComplete else {
            return refuse("no trust domain: name one, or leave the key out", at: node.position)
        }
        let endpoints = mapping.entries.map { endpoint($0) }
        let sound = endpoints.compactMap(\.self)
        return sound.count == endpoints.count && mapping.isComplete ? sound : nil
    }

    private mutating func endpoint(_ entry: Mapping.Entry) -> BundleEndpoint? {
        let trustDomain = self.trustDomain(entry.key, at: entry.keyPosition)
        guard let fields = fields(entry.value, of: FederationKeys.section) else { return nil }
        let url = required(FederationKeys.url, in: fields)
        let profile = self.profile(fields)
        let staleAfter = value(of: FederationKeys.staleAfter, in: fields)
        guard let trustDomain, let url, let profile else { return nil }
        return BundleEndpoint(
            trustDomain: trustDomain, url: url, profile: profile, staleAfterMilliseconds: staleAfter)
    }

    private mutating func profile(_ fields: Fields) -> BundleEndpoint.Profile? {
        let name = required(FederationKeys.profile, in: fields)
        let authorities = given(FederationKeys.authorities, in: fields)
        let id = given(FederationKeys.endpointID, in: fields)
        let bundle = given(FederationKeys.bundle, in: fields)
        switch name {
        case nil: return nil
        case .web:
            refuse(
                FederationKeys.endpointID, in: fields, "the profile https_web authenticates the server by its host name"
            )
            refuse(
                FederationKeys.bundle, in: fields,
                "the profile https_web uses the system's root certificates, or \(FederationKeys.authorities)")
            return .web(authorities: authorities)
        case .spiffe:
            refuse(
                FederationKeys.authorities, in: fields,
                "the profile https_spiffe authenticates the server by its SPIFFE ID; name its \(FederationKeys.bundle)")
            let remedy = "a PEM file of root certificates that authenticate the server at first"
            _ = requires(FederationKeys.endpointID, in: fields)
            _ = requires(FederationKeys.bundle, in: fields, remedy: remedy)
            guard let id, let bundle else { return nil }
            return .spiffe(id, bundle: bundle)
        }
    }

    mutating func url(_ node: Node) -> HTTPSURL? {
        let expected = "a URL such as https://example.org/bundle"
        guard let text = text(node, expected: expected, bytesAtMost: 2_048) else { return nil }
        guard let url = HTTPSURL(parsing: text) else {
            return refuse("expected \(expected), found \(quoted(text))", at: node.position)
        }
        return url
    }

    mutating func spiffeID(_ node: Node) -> SPIFFEID? {
        guard let text = text(node, expected: "a SPIFFE ID", bytesAtMost: 2_048) else { return nil }
        do throws(SPIFFEIDFlaw) {
            return try SPIFFEID(parsing: text)
        } catch {
            return refuse("expected a SPIFFE ID, found \(quoted(text)): \(error)", at: node.position)
        }
    }
}
