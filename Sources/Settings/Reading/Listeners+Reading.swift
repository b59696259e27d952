import Policy

extension SettingsReader {
    mutating func listeners(_ node: Node) -> [ListenerSettings]? {
        var names = NameList(of: "listener")
        return list(node, of: "listeners", atMost: 1_024) { $0.listener($1, names: &names) }
    }

    private mutating func listener(_ node: Node, names: inout NameList) -> ListenerSettings? {
        guard let fields = fields(node, section: "listeners[]") else {
            routesAreKnown = false
            return nil
        }
        let name = required("name", in: fields).flatMap { self.name($0, notIn: &names) }
        let mode: ListenerSettings.Mode? = required("mode", in: fields).flatMap { choice($0) }
        let owner = name.map { "the listener \(quoted($0))" } ?? "the listener at line \(fields.position.line)"
        let bind = required("bind", in: fields).flatMap { self.bind($0, of: owner) }
        checkCallers(fields, bind, mode: mode)
        if fields["routes"]?.isSequence != true { routesAreKnown = false }
        let routes = required("routes", in: fields).flatMap { self.routes($0, mode: mode) }
        let expiry = value(of: "expiry", in: fields, default: ListenerSettings.Expiry.quiet) { $0.choice($1) }
        let grace = value(of: "expiryGrace", in: fields, default: LifetimeKeys.graceDefault) {
            $0.milliseconds($1, in: LifetimeKeys.graceAllowed)
        }
        let maximumAge = value(of: "maxConnectionAge", in: fields, default: nil) {
            $0.milliseconds($1, in: LifetimeKeys.ageAllowed)
        }
        guard let name, let mode, let bind, let routes else { return nil }
        var listener = ListenerSettings(name: name, mode: mode, bind: bind, routes: routes)
        listener.expiry = expiry
        listener.expiryGraceMilliseconds = grace
        listener.maxConnectionAgeMilliseconds = maximumAge
        return listener
    }

    /// Whoever reaches an outbound listener speaks with the proxy's SVID: beyond loopback that must be meant.
    private mutating func checkCallers(_ fields: Fields, _ bind: Located<Endpoint>?, mode: ListenerSettings.Mode?) {
        if mode == .inbound {
            return refuse("allowRemoteCallers", in: fields, "an inbound listener asks its callers for a certificate")
        }
        let isAllowed = value(of: "allowRemoteCallers", in: fields, default: false) { $0.boolean($1) }
        guard mode == .outbound, let bind, !bind.value.address.isLoopback, !isAllowed,
            fields["allowRemoteCallers"] != nil || !fields.speaks(of: "allowRemoteCallers")
        else { return }
        error(
            "whoever reaches \(bind.value) speaks with this proxy's SVID, without any of his own: bind a loopback address,"
                + " or write `allowRemoteCallers: true` beside it",
            at: bind.position)
    }

    /// The routes of a listener; of one without a known mode, what does not depend on it is checked.
    private mutating func routes(_ node: Node, mode: ListenerSettings.Mode?) -> [RouteSettings]? {
        var names = NameList(of: "route")
        var earlier: [(match: RouteMatch, line: Int)] = []
        return list(node, of: "routes") { reader, node in
            guard let fields = reader.fields(node, section: "listeners[].routes[]") else {
                reader.routesAreKnown = false
                return nil
            }
            let name = reader.required("name", in: fields).flatMap { reader.name($0, notIn: &names) }
            let match = reader.match(fields["match"], mode: mode)
            if let match {
                if let first = earlier.first(where: { $0.match.covers(match) }) {
                    reader.error(
                        "the route is never taken: the one at line \(first.line) matches all that it matches",
                        at: node.position)
                }
                earlier.append((match, node.position.line))
            }
            let upstream = reader.required("upstream", in: fields).flatMap { reader.upstream($0, mode: mode) }
            let policyIndex = reader.policyIndex(fields, mode: mode)
            guard let name, let match, let upstream else { return nil }
            return RouteSettings(name: name, match: match, upstream: upstream, policyIndex: policyIndex)
        }
    }

    private mutating func match(_ node: Node?, mode: ListenerSettings.Mode?) -> RouteMatch? {
        guard let node else { return RouteMatch() }
        guard let fields = fields(node, section: "listeners[].routes[].match") else { return nil }
        if mode == .outbound {
            for key in ["sni", "alpn"] {
                refuse(key, in: fields, "an outbound listener takes in plaintext, which has none: leave it out")
            }
        }
        let serverNames = conditions("sni", in: fields, of: "server names") { $0.serverNamePattern($1) }
        let ports = conditions("destinationPorts", in: fields, of: "ports") { $0.portRange($1) }
        let protocols = fields["alpn"].map { applicationProtocols($0) } ?? (fields.speaks(of: "alpn") ? nil : [])
        guard let serverNames, let ports, let protocols else { return nil }
        return RouteMatch(serverNames: serverNames, applicationProtocols: protocols, destinationPorts: ports)
    }

    private mutating func policyIndex(_ fields: Fields, mode: ListenerSettings.Mode?) -> Int? {
        guard mode != .outbound else {
            refuse("policy", in: fields, "an outbound route has none: write `identities` in `upstream`")
            return nil
        }
        // Whether a policy is needed depends on the mode.
        let remedy = "an inbound route names the policy that says who may use it"
        let node = mode == nil ? fields["policy"] : required("policy", in: fields, remedy: remedy)
        guard let name = node.flatMap({ name($0, of: "policy") }) else {
            routesAreKnown = false
            return nil
        }
        usedPolicies.insert(name)
        guard let policyIndices else { return nil }
        if let index = policyIndices[name] { return index }
        // Any of them may have been meant.
        routesAreKnown = false
        return refuse(
            "no policy is named \(quoted(name))" + suggestion(for: name, among: Array(policyIndices.keys)),
            at: node?.position ?? fields.position)
    }

    /// Reports a key that has no place in a listener of this mode.
    mutating func refuse(_ key: String, in fields: Fields, _ reason: String) {
        if let position = fields.keyPosition(key) {
            error("`\(key)` has no place here: \(reason)", at: position)
        }
    }
}
