import Policy

extension SettingsReader {
    mutating func listeners(_ node: Node) -> [ListenerSettings]? {
        var names = NameList(of: "listener")
        return list(node, of: "listeners", atMost: 1_024) { $0.listener($1, names: &names) }
    }

    private mutating func listener(_ node: Node, names: inout NameList) -> ListenerSettings? {
        guard let fields = fields(node, of: ListenerKeys.section) else {
            routesAreKnown = false
            return nil
        }
        let name = required(ListenerKeys.name, in: fields).flatMap { self.name($0, notIn: &names) }
        let mode = required(ListenerKeys.mode, in: fields)
        let owner = name.map { "the listener \(quoted($0))" } ?? "the listener at line \(fields.position.line)"
        let bind = required(ListenerKeys.bind, in: fields).flatMap { self.listenAddress($0, of: owner) }
        checkCallers(fields, bind, mode: mode)
        let permissive = self.permissive(fields, mode: mode)
        let access = self.access(fields, bind)
        let callers = self.callers(fields, bind)
        let balancers = self.balancers(fields, mode: mode)
        checkTransparency(fields, bind, mode: mode)
        if fields[ListenerKeys.routes]?.isSequence != true { routesAreKnown = false }
        let routes = required(ListenerKeys.routes, in: fields).flatMap { self.routes($0, mode: mode) }
        let others = landing(of: ListenerKeys.section, in: fields)
        guard let name, let mode, let bind, let routes, let balancers, let access, let callers
        else { return nil }
        var listener = ListenerSettings(name: name, mode: mode, bind: bind, routes: routes)
        listener.balancers = balancers
        listener.permissive = permissive
        listener.socket = access
        listener.callers = fields[ListenerKeys.callers] == nil ? nil : callers
        others.apply(to: &listener)
        listener.allowsRemoteCallers = value(of: ListenerKeys.allowRemoteCallers, in: fields)
        return listener
    }

    /// The balancers whose headers are taken; empty if none are named, nil if they are flawed.
    private mutating func balancers(_ fields: Fields, mode: ListenerSettings.Mode?) -> [CIDR]? {
        let key = ListenerKeys.acceptProxyProtocol
        if mode == .outbound { refuse(key, in: fields, "the callers of an outbound listener are on this host") }
        guard let node = fields[key] else { return [] }
        guard let inner = self.fields(node, of: AcceptProxyProtocolKeys.section),
            let blocks = required(AcceptProxyProtocolKeys.from, in: inner)
        else { return nil }
        if let everyone = blocks.first(where: { $0.prefixLength == 0 }) {
            warn(
                "with \(everyone) every client may claim to connect from any address: name the load balancers",
                at: inner[AcceptProxyProtocolKeys.from]?.position ?? node.position)
        }
        return blocks
    }

    /// What a permissive listener goes by; nil if certificates are required.
    private mutating func permissive(_ fields: Fields, mode: ListenerSettings.Mode?) -> PermissiveSettings? {
        let wanted = value(of: ListenerKeys.clientCertificates, in: fields)
        if mode == .outbound {
            refuse(ListenerKeys.clientCertificates, in: fields, "the clients of an outbound listener have none")
        }
        let permissive = PermissiveSettings(
            detectionMilliseconds: value(of: ListenerKeys.detectionTimeout, in: fields),
            serverFirst: given(ListenerKeys.serverFirst, in: fields) ?? [],
            terminate: given(ListenerKeys.terminate, in: fields) ?? [])
        guard wanted == .permissive else {
            let reason = "it is for `\(ListenerKeys.clientCertificates.name): permissive`"
            refuse(ListenerKeys.detectionTimeout, in: fields, reason)
            refuse(ListenerKeys.serverFirst, in: fields, reason)
            refuse(ListenerKeys.terminate, in: fields, reason)
            return nil
        }
        return permissive
    }

    /// Who may connect to a Unix socket's file; nil if that is flawed.
    private mutating func access(_ fields: Fields, _ bind: ListenAddress?) -> SocketAccess? {
        guard let node = fields[ListenerKeys.socket] else { return SocketAccess() }
        switch bind {
        case .unix(let address) where address.isAbstract:
            refuse(ListenerKeys.socket, in: fields, "a socket in the abstract namespace has no file")
        case .ip: refuse(ListenerKeys.socket, in: fields, "only a Unix socket has a file")
        case .unix, nil: break
        }
        return value(of: SocketKeys.section, node)
    }

    /// The callers that a Unix socket's listener names; empty if it names none, nil if they are flawed.
    private mutating func callers(_ fields: Fields, _ bind: ListenAddress?) -> CallerSettings? {
        guard let node = fields[ListenerKeys.callers] else { return CallerSettings() }
        if case .ip = bind {
            refuse(
                ListenerKeys.callers, in: fields,
                "only a Unix socket says which user connects: bind one, such as unix:/run/postern.sock")
        }
        guard let inner = self.fields(node, of: CallerKeys.section) else { return nil }
        let named = landing(of: CallerKeys.section, in: inner)
        guard named.isSound else { return nil }
        var callers = CallerSettings()
        named.apply(to: &callers)
        guard !callers.users.isEmpty || !callers.groups.isEmpty else {
            return refuse("nobody may connect: name \(CallerKeys.users) or \(CallerKeys.groups)", at: node.position)
        }
        return callers
    }

    /// Any client of an outbound listener uses the proxy's SVID, so a bind beyond loopback must be explicit.
    private mutating func checkCallers(_ fields: Fields, _ bind: ListenAddress?, mode: ListenerSettings.Mode?) {
        if mode == .inbound {
            return refuse(
                ListenerKeys.allowRemoteCallers, in: fields, "an inbound listener requires a client certificate")
        }
        let key = ListenerKeys.allowRemoteCallers
        let isAllowed = value(of: key, in: fields)
        guard mode == .outbound, let bind = bind?.endpoint, !bind.address.isLoopback, !isAllowed,
            fields[key] != nil || !fields.speaks(of: key)
        else { return }
        error(
            "any client that reaches \(bind) uses this proxy's SVID without authentication: bind a loopback address,"
                + " or write `\(key.name): true` beside it",
            at: fields[ListenerKeys.bind]?.position ?? fields.position)
    }

    /// Reads the routes of a listener; without a known mode, checks what does not depend on it.
    private mutating func routes(_ node: Node, mode: ListenerSettings.Mode?) -> [RouteSettings]? {
        var names = NameList(of: "route")
        var earlier: [(match: RouteMatch, line: Int)] = []
        return list(node, of: "routes") { reader, node in
            guard let fields = reader.fields(node, of: RouteKeys.section) else {
                reader.routesAreKnown = false
                return nil
            }
            let name = reader.required(RouteKeys.name, in: fields).flatMap { reader.name($0, notIn: &names) }
            let match = reader.match(fields[RouteKeys.match], mode: mode)
            if let match {
                if let first = earlier.first(where: { $0.match.covers(match) }) {
                    reader.error(
                        "the route is unreachable: the route at line \(first.line) matches everything that it matches",
                        at: node.position)
                }
                earlier.append((match, node.position.line))
            }
            let upstream = reader.required(RouteKeys.upstream, in: fields).flatMap { reader.upstream($0, mode: mode) }
            let policyIndex = reader.policyIndex(fields, mode: mode)
            guard let name, let match, let upstream else { return nil }
            return RouteSettings(name: name, match: match, upstream: upstream, policyIndex: policyIndex)
        }
    }

    private mutating func match(_ node: Node?, mode: ListenerSettings.Mode?) -> RouteMatch? {
        guard let node else { return RouteMatch() }
        guard let fields = fields(node, of: MatchKeys.section) else { return nil }
        if mode == .outbound {
            let reason = "an outbound listener accepts plaintext, which has none: leave it out"
            refuse(MatchKeys.sni, in: fields, reason)
            refuse(MatchKeys.alpn, in: fields, reason)
        }
        refuseUnlessTransparent(MatchKeys.destinations, in: fields)
        let conditions = landing(of: MatchKeys.section, in: fields)
        guard conditions.isSound else { return nil }
        var match = RouteMatch()
        conditions.apply(to: &match)
        return match
    }

    private mutating func policyIndex(_ fields: Fields, mode: ListenerSettings.Mode?) -> Int? {
        guard mode != .outbound else {
            refuse(
                RouteKeys.policy, in: fields,
                "an outbound route has none: write \(UpstreamKeys.identities) in \(RouteKeys.upstream)")
            return nil
        }
        // Whether a policy is needed depends on the mode.
        let remedy = "an inbound route must name the policy that authorizes its peers"
        let node = mode == nil ? fields[RouteKeys.policy] : required(RouteKeys.policy, in: fields, remedy: remedy)
        guard let name = node.flatMap({ name($0, of: "policy") }) else {
            routesAreKnown = false
            return nil
        }
        usedPolicies.insert(name)
        guard let policyIndices else { return nil }
        if let index = policyIndices[name] { return index }
        // The route may have meant any policy, so none is reported as unused.
        routesAreKnown = false
        return refuse(
            "no policy is named \(quoted(name))" + suggestion(for: name, among: Array(policyIndices.keys)),
            at: node?.position ?? fields.position)
    }
}
