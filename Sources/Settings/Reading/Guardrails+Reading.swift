import Policy

extension SettingsReader {
    mutating func guardrails(_ root: Node) -> [Guardrail]? {
        guard let fields = fields(root, of: GuardrailFileKeys.section) else { return nil }
        var names = NameList(of: "guardrail")
        return required(GuardrailFileKeys.guardrails, in: fields).flatMap { node in
            list(node, of: "guardrails") { reader, node in reader.guardrail(node, names: &names) }
        }
    }

    private mutating func guardrail(_ node: Node, names: inout NameList) -> Guardrail? {
        guard let fields = fields(node, of: GuardrailKeys.section) else { return nil }
        let name = required(GuardrailKeys.name, in: fields).flatMap { self.name($0, notIn: &names) }
        let listeners = self.names(GuardrailKeys.listeners, of: "listener", in: fields)
        let routes = self.names(GuardrailKeys.routes, of: "route", in: fields)
        var ruleNames = NameList(of: "rule")
        let rules = required(GuardrailKeys.rules, in: fields).flatMap { node in
            list(node, of: "rules") { reader, node in reader.rule(node, names: &ruleNames) }
        }
        guard let name, let listeners, let routes, let rules else { return nil }
        return Guardrail(name: name, listeners: listeners, routes: routes, rules: rules, position: node.position)
    }

    /// Empty without the key.
    private mutating func names(_ key: Key<Node>, of what: String, in fields: Fields) -> [String]? {
        guard fields.speaks(of: key) else { return [] }
        return given(key, in: fields).flatMap { node in
            condition(node, of: "names of \(what)s") { reader, node in reader.name(node, of: what) }
        }
    }
}
