import Policy

extension SettingsReader {
    mutating func upstream(_ node: Node, mode: ListenerSettings.Mode?) -> UpstreamSettings? {
        guard let fields = fields(node, of: UpstreamKeys.section) else { return nil }
        switch mode {
        case .inbound:
            refuse(
                UpstreamKeys.identities, in: fields,
                "an inbound route forwards plaintext; authorize its peers with a \(RouteKeys.policy)")
            let reason = "an inbound route forwards plaintext, which has none: leave it out"
            refuse(UpstreamKeys.sni, in: fields, reason)
            refuse(UpstreamKeys.alpn, in: fields, reason)
        case .outbound:
            refuse(
                UpstreamKeys.builtin, in: fields,
                "an outbound route speaks mTLS to a peer: name its \(UpstreamKeys.endpoints)")
            refuse(UpstreamKeys.allowRemoteUpstream, in: fields, "an outbound route speaks mTLS to its upstream")
            refuse(
                UpstreamKeys.sendProxyProtocol, in: fields,
                "an outbound route speaks mTLS to its upstream, which takes the caller from the certificate")
        case nil: break
        }
        let target = self.target(fields, mode: mode)
        let identities = self.identities(fields, mode: mode)
        let others = landing(of: UpstreamKeys.section, in: fields)
        if fields[UpstreamKeys.builtin] != nil {
            refuse(
                UpstreamKeys.sendProxyProtocol, in: fields, "a \(UpstreamKeys.builtin) takes no header: leave it out")
        }
        guard let target, let identities else { return nil }
        var upstream = UpstreamSettings(target: target, identities: identities)
        others.apply(to: &upstream)
        return upstream
    }

    private mutating func target(_ fields: Fields, mode: ListenerSettings.Mode?) -> UpstreamSettings.Target? {
        if isOriginal(fields) { return .original }
        let allowsRemote = value(of: UpstreamKeys.allowRemoteUpstream, in: fields)
        let mayBeRemote = mode != .inbound || allowsRemote
        let endpoints = given(UpstreamKeys.endpoints, in: fields).flatMap {
            self.endpoints($0, mayBeRemote: mayBeRemote)
        }
        let builtin = given(UpstreamKeys.builtin, in: fields)
        switch (fields[UpstreamKeys.endpoints], fields[UpstreamKeys.builtin]) {
        case (_?, _?):
            if mode != .outbound {
                error(
                    "\(UpstreamKeys.endpoints) and \(UpstreamKeys.builtin) exclude each other: leave one out",
                    at: fields.position)
            }
            return nil
        case (_?, nil): return endpoints.map { .endpoints($0) }
        case (nil, _?): return builtin.map { .builtin($0) }
        case (nil, nil):
            if !fields.speaks(of: UpstreamKeys.endpoints) && !fields.speaks(of: UpstreamKeys.builtin) {
                error(
                    "the upstream is empty: name its \(UpstreamKeys.endpoints)"
                        + (mode == .outbound ? "" : " or a \(UpstreamKeys.builtin)"),
                    at: fields.position)
            }
            return nil
        }
    }

    private mutating func endpoints(_ node: Node, mayBeRemote: Bool) -> [Endpoint]? {
        var seen: Set<Endpoint> = []
        return list(node, of: "endpoints", atMost: 1_024) { reader, node in
            guard let endpoint = reader.endpoint(node, port: .mustBeNamed) else { return nil }
            guard !endpoint.address.isWildcard else {
                return reader.refuse(
                    "\(endpoint.address) cannot be dialled: name an address of the upstream", at: node.position)
            }
            guard seen.insert(endpoint).inserted else {
                return reader.refuse("the endpoint \(endpoint) is named twice", at: node.position)
            }
            guard mayBeRemote || endpoint.address.isLoopback else {
                return reader.refuse(
                    "\(endpoint) is another host, which would be reached in plaintext: name a loopback address, or"
                        + " write `\(UpstreamKeys.allowRemoteUpstream.name): true` beside \(UpstreamKeys.endpoints)",
                    at: node.position)
            }
            return endpoint
        }
    }

    private mutating func identities(_ fields: Fields, mode: ListenerSettings.Mode?) -> [IdentityPattern]? {
        if mode == .outbound {
            let remedy = "name the SPIFFE IDs of the servers to talk to (`spiffe://*/**` is any trusted one)"
            guard requires(UpstreamKeys.identities, in: fields, remedy: remedy) else { return nil }
        }
        return identityPatterns(UpstreamKeys.identities, in: fields) { reader, node in
            let pattern = reader.identityPattern(node)
            if mode == .outbound, pattern?.matchesEveryone == true {
                reader.warn(
                    "any SVID of any trust domain that has a bundle is accepted as the server's: name the servers"
                        + " you mean",
                    at: node.position)
            }
            return pattern
        }
    }
}
