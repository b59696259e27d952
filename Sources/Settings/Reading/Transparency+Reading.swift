import Policy

extension SettingsReader {
    /// Notes how a listener gets its connections, for its routes, and reports keys that do not go with that.
    mutating func checkTransparency(
        _ fields: Fields, _ bind: ListenAddress?, mode: ListenerSettings.Mode?
    ) {
        // A flaw of the value is reported where it lands.
        transparency = fields.speaks(of: ListenerKeys.transparent) ? peek(fields[ListenerKeys.transparent]) : .off
        if case .unix = bind, transparency != .off {
            refuse(ListenerKeys.transparent, in: fields, "no rule of a firewall leads to a Unix socket")
        }
        if mode == .inbound {
            refuse(
                ListenerKeys.unmatched, in: fields,
                "an inbound listener forwards only what a policy allows: leave it out")
        } else {
            refuseUnlessTransparent(ListenerKeys.unmatched, in: fields)
            warnOfPassthrough(fields)
        }
        if mode == .outbound {
            refuse(
                ListenerKeys.keepSource, in: fields,
                "an outbound listener dials peers, to which the proxy's certificate says who calls: leave it out")
        } else if let transparency, transparency != .tproxy {
            refuse(
                ListenerKeys.keepSource, in: fields,
                "it takes `\(ListenerKeys.transparent.name): tproxy` beside it")
        }
    }

    /// Reports a key that speaks of where a client wanted to go, on a listener that its clients dial.
    mutating func refuseUnlessTransparent(_ key: some NamedKey, in fields: Fields) {
        guard transparency == .off else { return }
        refuse(
            key, in: fields,
            "clients of this listener want to go nowhere else: it takes `\(ListenerKeys.transparent.name): redirect`"
                + " or `tproxy` on the listener")
    }

    /// Whether the upstream is where the client wanted to go; reports what does not go with that.
    mutating func isOriginal(_ fields: Fields) -> Bool {
        refuseUnlessTransparent(UpstreamKeys.original, in: fields)
        guard value(of: UpstreamKeys.original, in: fields) else { return false }
        let reason = "\(UpstreamKeys.original) says where to go: leave one out"
        refuse(UpstreamKeys.endpoints, in: fields, reason)
        refuse(UpstreamKeys.builtin, in: fields, reason)
        refuse(
            UpstreamKeys.allowRemoteUpstream, in: fields, "\(UpstreamKeys.original) dials loopback only: leave it out")
        return true
    }

    /// Reads an address block, or a name that is looked up.
    mutating func destination(_ node: Node) -> Destination? {
        guard case .scalar(let scalar) = node.content, let name = HostName(parsing: scalar.text),
            IPAddress(parsing: scalar.text) == nil
        else { return addressBlock(node).map { .block($0) } }
        return .name(name)
    }

    private mutating func warnOfPassthrough(_ fields: Fields) {
        guard let node = fields[ListenerKeys.unmatched], case .scalar(let scalar) = node.content,
            scalar.text == UnmatchedConnections.passthrough.rawValue
        else { return }
        warn("what no route matches is relayed in plaintext, without TLS and to anyone", at: node.position)
    }

    private func peek(_ node: Node?) -> Transparency? {
        guard case .scalar(let scalar)? = node?.content else { return nil }
        return Transparency(rawValue: scalar.text)
    }
}
