import Policy

extension SettingsReader {
    /// Reads an address or a Unix socket to listen on, and records it for the overlap check.
    mutating func listenAddress(_ node: Node, of owner: String) -> ListenAddress? {
        guard case .scalar(let scalar) = node.content, scalar.text.hasPrefix("unix:") else {
            return bind(node, of: owner).map { .ip($0) }
        }
        return unixAddress(String(scalar.text.dropFirst("unix:".count)), scalar.text, node, of: owner).map { .unix($0) }
    }

    private mutating func unixAddress(
        _ name: String, _ text: String, _ node: Node, of owner: String
    ) -> UnixAddress? {
        do throws(UnixAddressFlaw) {
            let address = try UnixAddress(parsing: name)
            if let earlier = unixBinds[address] {
                error(
                    "\(owner) binds \(address), which \(earlier.owner) takes at line \(earlier.line)",
                    at: node.position)
            }
            unixBinds[address] = (owner, node.position.line)
            return address
        } catch {
            return refuse("\(quoted(text)) is no Unix socket: \(error)", at: node.position)
        }
    }

    /// Reads an address to listen on, and records it for the overlap check.
    mutating func bind(_ node: Node, of owner: String) -> Endpoint? {
        guard let endpoint = endpoint(node, port: .kernelMayChoose) else { return nil }
        binds.append(Bind(owner: owner, endpoint: endpoint, position: node.position))
        return endpoint
    }

    /// Reports each bind that would fail because of an earlier one.
    ///
    /// A wildcard address overlaps with every address of its family; `[::]` binds IPv6 only.
    mutating func reportOverlappingBinds() {
        var byPort: [UInt16: [Bind]] = [:]
        for bind in binds where bind.endpoint.port != 0 {
            let earlier = byPort[bind.endpoint.port, default: []].first {
                $0.endpoint.address.overlaps(bind.endpoint.address)
            }
            if let earlier {
                error(
                    "\(bind.owner) binds \(bind.endpoint), which \(earlier.owner) takes with \(earlier.endpoint) "
                        + "at line \(earlier.position.line)",
                    at: bind.position)
            }
            byPort[bind.endpoint.port, default: []].append(bind)
        }
    }

    mutating func admin(_ node: Node) -> AdminSettings? {
        guard let fields = fields(node, of: AdminKeys.section) else { return nil }
        let allowsChanges = value(of: AdminKeys.allowChanges, in: fields)
        let socket = given(AdminKeys.socket, in: fields).map { adminSocket($0) }
        guard let node = socket == nil ? required(AdminKeys.bind, in: fields) : given(AdminKeys.bind, in: fields) else {
            if allowsChanges { refuse(AdminKeys.allowChanges, in: fields, "a Unix socket takes changes anyway") }
            return socket.flatMap(\.self).map { AdminSettings(bind: nil, socket: $0) }
        }
        guard let bind = bind(node, of: "the admin endpoint") else { return nil }
        if bind.address.isWildcard {
            warn(
                "the admin endpoint has no authentication and listens on every address of this host: bind the one that"
                    + " its readers need",
                at: node.position)
        }
        if allowsChanges, !bind.address.isLoopback {
            warn(
                "\(AdminKeys.allowChanges) lets everyone who reaches \(bind) end this proxy: give a socket instead",
                at: fields.keyPosition(AdminKeys.allowChanges) ?? node.position)
        }
        return AdminSettings(bind: bind, socket: socket.flatMap(\.self), allowsChanges: allowsChanges)
    }

    private mutating func adminSocket(_ node: Node) -> AdminSocketSettings? {
        guard let fields = fields(node, of: AdminSocketKeys.section) else { return nil }
        var access = SocketAccess()
        landing(of: AdminSocketKeys.section, in: fields).apply(to: &access)
        guard let node = required(AdminSocketKeys.path, in: fields),
            let text = text(node, expected: "an absolute path", bytesAtMost: 107)
        else { return nil }
        guard !text.hasPrefix("@"), !text.hasPrefix("unix:") else {
            return refuse("expected an absolute path, such as /run/postern/admin.sock", at: node.position)
        }
        guard let address = unixAddress(text, text, node, of: "the admin endpoint") else { return nil }
        return AdminSocketSettings(address: address, access: access)
    }

    /// A bind in the file, and its owner.
    struct Bind {
        let owner: String
        let endpoint: Endpoint
        let position: Position
    }
}

extension IPAddress {
    /// Whether it is a wildcard: `0.0.0.0` or `::`.
    var isWildcard: Bool { self == .v4(0) || self == .v6(0, 0) }

    /// Whether sockets bound to both, on one port, would conflict.
    fileprivate func overlaps(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4, .v4), (.v6, .v6): self == other || isWildcard || other.isWildcard
        default: false
        }
    }
}
