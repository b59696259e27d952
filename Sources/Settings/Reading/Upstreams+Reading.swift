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
            refuse(UpstreamKeys.preconnect, in: fields, "an inbound route makes no handshake with its upstream")
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
        checkNames(target, fields)
        let identities = self.identities(fields, mode: mode)
        let others = landing(of: UpstreamKeys.section, in: fields)
        if fields[UpstreamKeys.builtin] != nil {
            refuse(
                UpstreamKeys.sendProxyProtocol, in: fields, "a \(UpstreamKeys.builtin) takes no header: leave it out")
        }
        guard let target, let identities else { return nil }
        var upstream = UpstreamSettings(target: target, identities: identities)
        others.apply(to: &upstream)
        if mode == .inbound, upstream.health.check?.kind == .tls {
            error("a check by TLS has no place here: an inbound route forwards plaintext", at: fields.position)
        }
        upstream.allowsRemote = mayBeRemote(fields, mode: mode)
        return upstream
    }

    private mutating func mayBeRemote(_ fields: Fields, mode: ListenerSettings.Mode?) -> Bool {
        let allowsRemote = value(of: UpstreamKeys.allowRemoteUpstream, in: fields)
        return mode != .inbound || allowsRemote
    }

    /// `resolve` speaks of names alone.
    private mutating func checkNames(_ target: UpstreamSettings.Target?, _ fields: Fields) {
        guard let target else { return }
        if case .endpoints(let endpoints) = target, endpoints.contains(where: \.isName) { return }
        refuse(UpstreamKeys.resolve, in: fields, "none of the \(UpstreamKeys.endpoints) is a name: leave it out")
    }

    private mutating func target(_ fields: Fields, mode: ListenerSettings.Mode?) -> UpstreamSettings.Target? {
        if isOriginal(fields) { return .original }
        let mayBeRemote = mayBeRemote(fields, mode: mode)
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

    private mutating func endpoints(_ node: Node, mayBeRemote: Bool) -> [UpstreamEndpoint]? {
        var seen: Set<UpstreamEndpoint> = []
        return list(node, of: "endpoints", atMost: 1_024) { reader, node in
            guard let endpoint = reader.upstreamEndpoint(node) else { return nil }
            guard seen.insert(endpoint).inserted else {
                return reader.refuse("the endpoint \(endpoint) is named twice", at: node.position)
            }
            guard mayBeRemote || endpoint.isOnThisHost else {
                return reader.refuse(
                    "\(endpoint) \(endpoint.isName ? "may be" : "is") another host, which would be reached in plaintext:"
                        + " name a loopback address, or write `\(UpstreamKeys.allowRemoteUpstream.name): true` beside"
                        + " \(UpstreamKeys.endpoints)",
                    at: node.position)
            }
            return endpoint
        }
    }

    private mutating func upstreamEndpoint(_ node: Node) -> UpstreamEndpoint? {
        let expected = "an endpoint such as 127.0.0.1:80, \"[::1]:80\", example.org:80 or unix:/run/app.sock"
        guard let text = scalar(node, expected: expected)?.text else { return nil }
        let endpoint: UpstreamEndpoint
        do throws(EndpointFlaw) {
            endpoint = try UpstreamEndpoint(parsing: text)
        } catch {
            return refuse("expected \(expected), found \(quoted(text)): \(error)", at: node.position)
        }
        guard endpoint.port != 0 else {
            return refuse("port 0 cannot be dialled: name the port of the upstream", at: node.position)
        }
        if case .address(let address) = endpoint, address.address.isWildcard {
            return refuse(
                "\(address.address) cannot be dialled: name an address of the upstream", at: node.position)
        }
        return endpoint
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

extension UpstreamEndpoint {
    /// Nil where records name it.
    fileprivate var port: UInt16? {
        switch self {
        case .address(let endpoint): endpoint.port
        case .host(_, let port): port
        case .service, .unix: nil
        }
    }

    /// Whether it can be no other host; of a name, answers that say otherwise are not used.
    fileprivate var isOnThisHost: Bool {
        switch self {
        case .address(let endpoint): endpoint.address.isLoopback
        case .unix: true
        case .host(let name, _): name.isLocalHost
        case .service: false
        }
    }
}
