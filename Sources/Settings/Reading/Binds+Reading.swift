import Policy

extension SettingsReader {
    /// An address to listen on, remembered to be compared with the others.
    mutating func bind(_ node: Node, of owner: String) -> Located<Endpoint>? {
        guard let endpoint = endpoint(node, port: .kernelMayChoose) else { return nil }
        let bind = Located(endpoint, at: node.position)
        binds.append((owner, bind))
        return bind
    }

    /// Reports each bind that the kernel would refuse because of an earlier one.
    ///
    /// A wildcard address overlaps with every address of its family; `[::]` takes IPv6 only.
    mutating func reportOverlappingBinds() {
        var byPort: [UInt16: [(owner: String, bind: Located<Endpoint>)]] = [:]
        for (owner, bind) in binds where bind.value.port != 0 {
            let earlier = byPort[bind.value.port, default: []].first {
                $0.bind.value.address.overlaps(bind.value.address)
            }
            if let earlier {
                error(
                    "\(owner) binds \(bind.value), which \(earlier.owner) takes with \(earlier.bind.value) "
                        + "at line \(earlier.bind.position.line)",
                    at: bind.position)
            }
            byPort[bind.value.port, default: []].append((owner, bind))
        }
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
