import Policy

extension SettingsReader {
    mutating func upstream(_ node: Node, mode: ListenerSettings.Mode?) -> UpstreamSettings? {
        guard let fields = fields(node, section: "listeners[].routes[].upstream") else { return nil }
        switch mode {
        case .inbound:
            refuse(
                "identities", in: fields, "an inbound route goes to plaintext; name a `policy` for those who come in")
            for key in ["sni", "alpn"] {
                refuse(key, in: fields, "an inbound route goes to plaintext, which has none: leave it out")
            }
        case .outbound:
            refuse("builtin", in: fields, "an outbound route speaks mTLS to a peer: name its `endpoints`")
            refuse("allowRemoteUpstream", in: fields, "an outbound route speaks mTLS to its upstream")
        case nil: break
        }
        let target = self.target(fields, mode: mode)
        let serverName = value(of: "sni", in: fields, default: nil) { $0.serverName($1) }
        let identities = self.identities(fields, mode: mode)
        let protocols = value(of: "alpn", in: fields, default: []) { $0.applicationProtocols($1) }
        guard let target, let identities else { return nil }
        return UpstreamSettings(
            target: target, serverName: serverName, identities: identities, applicationProtocols: protocols)
    }

    private mutating func target(_ fields: Fields, mode: ListenerSettings.Mode?) -> UpstreamSettings.Target? {
        let allowsRemote = value(of: "allowRemoteUpstream", in: fields, default: false) { $0.boolean($1) }
        let mayBeRemote = mode != .inbound || allowsRemote
        let endpoints = fields["endpoints"].flatMap { self.endpoints($0, mayBeRemote: mayBeRemote, mode) }
        let builtin: BuiltinUpstream? = fields["builtin"].flatMap { choice($0) }
        switch (fields["endpoints"], fields["builtin"]) {
        case (_?, _?):
            if mode != .outbound {
                error("`endpoints` and `builtin` exclude each other: leave one out", at: fields.position)
            }
            return nil
        case (_?, nil): return endpoints.map { .endpoints($0) }
        case (nil, _?): return builtin.map { .builtin($0) }
        case (nil, nil):
            if !fields.speaks(of: "endpoints") && !fields.speaks(of: "builtin") {
                error(
                    "the upstream is empty: name its `endpoints`" + (mode == .outbound ? "" : " or a `builtin`"),
                    at: fields.position)
            }
            return nil
        }
    }

    private mutating func endpoints(
        _ node: Node, mayBeRemote: Bool, _ mode: ListenerSettings.Mode?
    ) -> [Endpoint]? {
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
                    "\(endpoint) is another host, to which the bytes would go in plaintext: name a loopback address, or"
                        + " write `allowRemoteUpstream: true` beside `endpoints`",
                    at: node.position)
            }
            if mode == .inbound, endpoint.address.isLoopback {
                reader.applications.append(Located(endpoint, at: node.position))
            }
            return endpoint
        }
    }

    private mutating func identities(_ fields: Fields, mode: ListenerSettings.Mode?) -> [IdentityPattern]? {
        if mode == .outbound {
            let remedy = "name the SPIFFE IDs of the servers to talk to (`spiffe://*/**` is any trusted one)"
            guard required("identities", in: fields, remedy: remedy) != nil else { return nil }
        }
        return conditions("identities", in: fields, of: "identity patterns") { reader, node in
            let pattern = reader.identityPattern(node)
            if mode == .outbound, pattern?.matchesEveryone == true {
                reader.warn(
                    "whoever has an SVID of any trust domain that has a bundle is taken for the server: name whom you mean",
                    at: node.position)
            }
            return pattern
        }
    }
}
