import Policy

extension SettingsReader {
    /// An address to listen on, remembered to be compared with the others.
    mutating func bind(_ node: Node, of owner: String) -> Endpoint? {
        guard let endpoint = endpoint(node, port: .kernelMayChoose) else { return nil }
        binds.append(Bind(owner: owner, endpoint: endpoint, position: node.position))
        return endpoint
    }

    /// Reports each bind that the kernel would refuse because of an earlier one.
    ///
    /// A wildcard address overlaps with every address of its family; `[::]` takes IPv6 only.
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
                "the admin endpoint asks nobody who he is, and answers on every address of this host: bind the one that"
                    + " its readers need",
                at: node.position)
        }
        return AdminSettings(bind: bind)
    }

    /// An address of the file with what is to listen there.
    struct Bind {
        let owner: String
        let endpoint: Endpoint
        let position: Position
    }
}

extension IPAddress {
    /// Whether it stands for every address of its family: `0.0.0.0` or `::`.
    var isWildcard: Bool { self == .v4(0) || self == .v6(0, 0) }

    /// Whether sockets bound to both, on one port, would want the same connections.
    fileprivate func overlaps(_ other: IPAddress) -> Bool {
        switch (self, other) {
        case (.v4, .v4), (.v6, .v6): self == other || isWildcard || other.isWildcard
        default: false
        }
    }
}
