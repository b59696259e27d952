import Identity
import Policy

extension SettingsReader {
    /// Reads the name of a listener, route, policy or rule, as shown in logs and messages.
    mutating func name(_ node: Node, of what: String) -> String? {
        text(node, expected: "the name of a \(what)", bytesAtMost: 128)
    }

    /// Reads a pattern of SPIFFE IDs; warns if no trust bundle can verify an identity that matches.
    mutating func identityPattern(_ node: Node) -> IdentityPattern? {
        let expected = "an identity pattern such as spiffe://example.org/ns/*/sa/app"
        guard let text = text(node, expected: expected, bytesAtMost: SPIFFEID.maximumBytes) else { return nil }
        do throws(IdentityPatternFlaw) {
            let pattern = try IdentityPattern(parsing: text)
            warnIfUntrusted(pattern, at: node.position)
            return pattern
        } catch {
            return refuse("identity pattern \(quoted(text)): \(error)", at: node.position)
        }
    }

    mutating func addressBlock(_ node: Node) -> CIDR? {
        guard let text = text(node, expected: "an address block such as 10.0.0.0/8") else { return nil }
        do throws(CIDRFlaw) {
            return try CIDR(parsing: text)
        } catch {
            return refuse("address block \(quoted(text)): \(error)", at: node.position)
        }
    }

    mutating func portRange(_ node: Node) -> PortRange? {
        guard let text = text(node, expected: "a port or a range of ports such as 8000-8999") else { return nil }
        do throws(PortRangeFlaw) {
            return try PortRange(parsing: text)
        } catch {
            return refuse("port \(quoted(text)): \(error)", at: node.position)
        }
    }

    mutating func serverNamePattern(_ node: Node) -> ServerNamePattern? {
        guard let text = text(node, expected: "a server name such as orders.internal or *.internal") else { return nil }
        do throws(ServerNamePatternFlaw) {
            return try ServerNamePattern(parsing: text)
        } catch {
            return refuse("server name \(quoted(text)): \(error)", at: node.position)
        }
    }

    /// Reads the one server name to send as SNI.
    mutating func serverName(_ node: Node) -> String? {
        if case .scalar = node.content, let text = text(node, expected: "a server name such as orders.internal"),
            IPAddress(parsing: text) != nil
        {
            return refuse(
                "an IP address is never sent as SNI: leave \(UpstreamKeys.sni) out, or write a name", at: node.position)
        }
        guard let pattern = serverNamePattern(node) else { return nil }
        guard !pattern.description.hasPrefix("*") else {
            return refuse("\(quoted(pattern.description)) is a pattern: write the one name to send", at: node.position)
        }
        return pattern.description
    }

    /// Reads ALPN protocols, at most as many as a ClientHello extension can hold.
    mutating func applicationProtocols(_ node: Node) -> [String]? {
        let protocols = list(node, of: "ALPN protocols such as h2", atMost: 64) {
            $0.text($1, expected: "an ALPN protocol such as h2")
        }
        guard let protocols, Set(protocols).count < protocols.count else { return protocols }
        return refuse("an ALPN protocol is named twice", at: node.position)
    }

    /// The values of a condition; empty without the key, nil if it is flawed or misspelt.
    mutating func condition<Value>(_ key: Key<[Value]>, in fields: Fields) -> [Value]? {
        fields.speaks(of: key) ? given(key, in: fields) : []
    }

    /// The identity patterns of a condition, each read with `read`.
    mutating func identityPatterns(
        _ key: Key<Node>, in fields: Fields, read: (inout SettingsReader, Node) -> IdentityPattern?
    ) -> [IdentityPattern]? {
        guard fields.speaks(of: key) else { return [] }
        return given(key, in: fields).flatMap { condition($0, of: "identity patterns", read: read) }
    }

    /// The values of a condition that is present.
    mutating func condition<Value>(
        _ node: Node, of expected: String, read: (inout SettingsReader, Node) -> Value?
    ) -> [Value]? {
        list(node, of: expected, whenEmpty: "name at least one, or leave the key out", read: read)
    }

    private mutating func warnIfUntrusted(_ pattern: IdentityPattern, at position: Position) {
        let name = String(pattern.description.dropFirst("spiffe://".count).prefix { $0 != "/" })
        guard let trustDomains, name != "*", !trustDomains.contains(where: { $0.name == name }) else { return }
        warn(
            "no peer can have this identity: \(FileKeys.trustBundles) has no bundle for \(quoted(name))"
                + suggestion(for: name, among: trustDomains.map(\.name)),
            at: position)
    }
}
