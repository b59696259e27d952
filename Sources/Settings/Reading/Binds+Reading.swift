import Policy

extension SettingsReader {
    /// Reads an address or a Unix socket to listen on, and records it for the overlap check.
    mutating func listenAddress(_ node: Node, of owner: String) -> ListenAddress? {
        guard case .scalar(let scalar) = node.content, scalar.text.hasPrefix("unix:") else {
            return bind(node, of: owner).map { .ip($0) }
        }
        do throws(UnixAddressFlaw) {
            let address = try UnixAddress(parsing: String(scalar.text.dropFirst("unix:".count)))
            if let earlier = unixBinds[address] {
                error(
                    "\(owner) binds \(address), which \(earlier.owner) takes at line \(earlier.line)",
                    at: node.position)
            }
            unixBinds[address] = (owner, node.position.line)
            return .unix(address)
        } catch {
            return refuse("\(quoted(scalar.text)) is no Unix socket: \(error)", at: node.position)
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
        guard let fields = fields(node, of: AdminKeys.section), let node = required(AdminKeys.bind, in: fields),
            let bind = bind(node, of: "the admin endpoint")
        else { return nil }
        if bind.address.isWildcard {
            warn(
                "the admin endpoint has no authentication and listens on every address of this host: bind the one that"
                    + " its readers need",
                at: node.position)
        }
        return AdminSettings(bind: bind)
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
