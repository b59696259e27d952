import Identity

extension SettingsReader {
    /// Where further trust domains publish their bundles; none without the section.
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
        guard let fields = fields(entry.value, section: "identity.federation.DOMAIN") else { return nil }
        let url = required("url", in: fields).flatMap { self.url($0) }
        let profile = self.profile(fields)
        let staleAfter = value(of: "staleAfter", in: fields, default: FederationKeys.staleAfterDefault) {
            $0.milliseconds($1, in: FederationKeys.staleAfterAllowed)
        }
        guard let trustDomain, let url, let profile else { return nil }
        return BundleEndpoint(
            trustDomain: trustDomain, url: url, profile: profile, staleAfterMilliseconds: staleAfter)
    }

    private mutating func profile(_ fields: Fields) -> BundleEndpoint.Profile? {
        let name = required("profile", in: fields).flatMap { choice($0, of: FederationKeys.Profile.self) }
        let authorities: Located<String>? = value(of: "authorities", in: fields, default: nil) { $0.path($1) }
        let id = fields["endpointID"].flatMap { self.spiffeID($0) }
        let bundle = fields["bundle"].flatMap { path($0) }
        switch name {
        case nil: return nil
        case .web:
            refuse("endpointID", in: fields, "a server of the web is known by its name")
            refuse(
                "bundle", in: fields, "a server of the web is known by its name; `authorities` replaces the system's")
            return .web(authorities: authorities)
        case .spiffe:
            refuse("authorities", in: fields, "the server is known by its SPIFFE ID; name its `bundle`")
            let remedy = "a PEM file of the authorities that the server is known by at first"
            _ = (required("endpointID", in: fields), required("bundle", in: fields, remedy: remedy))
            guard let id, let bundle else { return nil }
            return .spiffe(id, bundle: bundle)
        }
    }

    private mutating func url(_ node: Node) -> Located<HTTPSURL>? {
        let expected = "a URL such as https://example.org/bundle"
        guard let text = text(node, expected: expected, bytesAtMost: 2_048) else { return nil }
        guard let url = HTTPSURL(parsing: text) else {
            return refuse("expected \(expected), found \(quoted(text))", at: node.position)
        }
        return Located(url, at: node.position)
    }

    private mutating func spiffeID(_ node: Node) -> SPIFFEID? {
        guard let text = text(node, expected: "a SPIFFE ID", bytesAtMost: 2_048) else { return nil }
        do throws(SPIFFEIDFlaw) {
            return try SPIFFEID(parsing: text)
        } catch {
            return refuse("expected a SPIFFE ID, found \(quoted(text)): \(error)", at: node.position)
        }
    }
}
