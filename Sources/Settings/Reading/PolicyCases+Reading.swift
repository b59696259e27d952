import Identity
import Policy

extension SettingsReader {
    mutating func policyCases(_ root: Node) -> PolicyCases? {
        guard let fields = fields(root, of: PolicyCaseFileKeys.section) else { return nil }
        let settings =
            fields.speaks(of: PolicyCaseFileKeys.settings) ? given(PolicyCaseFileKeys.settings, in: fields) : nil
        var names = NameList(of: "case")
        let cases = required(PolicyCaseFileKeys.cases, in: fields).flatMap { node in
            list(node, of: "cases") { reader, node in reader.policyCase(node, names: &names) }
        }
        return cases.map { PolicyCases(settings: settings, cases: $0) }
    }

    private mutating func policyCase(_ node: Node, names: inout NameList) -> PolicyCase? {
        guard let fields = fields(node, of: PolicyCaseKeys.section) else { return nil }
        let name = required(PolicyCaseKeys.name, in: fields).flatMap { self.name($0, notIn: &names) }
        let listener = required(PolicyCaseKeys.listener, in: fields).flatMap { self.name($0, of: "listener") }
        let identity = optional(PolicyCaseKeys.identity, in: fields) { $0.spiffeID($1) }
        let isPlaintext = value(of: PolicyCaseKeys.plaintext, in: fields)
        let source = optional(PolicyCaseKeys.source, in: fields) { $0.address($1) }
        let serverName = optional(PolicyCaseKeys.sni, in: fields) { $0.text($1, expected: "a server name") }
        let applicationProtocol = optional(PolicyCaseKeys.alpn, in: fields) { $0.text($1, expected: "a protocol") }
        let port = given(PolicyCaseKeys.port, in: fields)
        let destination = optional(PolicyCaseKeys.destination, in: fields) { $0.destinationEndpoint($1) }
        let expectation = required(PolicyCaseKeys.expect, in: fields)
        let route = optional(PolicyCaseKeys.route, in: fields) { $0.name($1, of: "route") }
        let rule = optional(PolicyCaseKeys.rule, in: fields) { $0.name($1, of: "rule") }
        guard fields.speaks(of: PolicyCaseKeys.identity) != isPlaintext else {
            return refuse(
                "a case has either \(PolicyCaseKeys.identity), or \(PolicyCaseKeys.plaintext): true", at: node.position)
        }
        guard let name, let listener, let expectation, !flaws.hasErrors else { return nil }
        return PolicyCase(
            name: name, listener: listener, identity: identity, source: source ?? .v4(0x7F00_0001),
            serverName: serverName, applicationProtocol: applicationProtocol, port: port.map { UInt16($0) },
            destination: destination, expectation: expectation, route: route, rule: rule, position: node.position)
    }

    private mutating func optional<Value>(
        _ key: Key<Node>, in fields: Fields, read: (inout SettingsReader, Node) -> Value?
    ) -> Value? {
        fields.speaks(of: key) ? given(key, in: fields).flatMap { read(&self, $0) } : nil
    }

    private mutating func address(_ node: Node) -> IPAddress? {
        guard let text = text(node, expected: "an IP address") else { return nil }
        return IPAddress(parsing: text) ?? refuse("\(quoted(text)) is no IP address", at: node.position)
    }

    /// An address with a port, or an address alone.
    private mutating func destinationEndpoint(_ node: Node) -> Endpoint? {
        guard let text = text(node, expected: "an address such as 10.0.0.1:80") else { return nil }
        if let address = IPAddress(parsing: text) { return Endpoint(address: address, port: 0) }
        return (try? Endpoint(parsing: text)) ?? refuse("\(quoted(text)) is no address with a port", at: node.position)
    }
}
