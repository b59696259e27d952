import Policy

extension SettingsReader {
    /// The policies in the order of the file; without the section there are none.
    mutating func policies(_ node: Node?) -> [Policy]? {
        policyIndices = [:]
        guard let node else { return [] }
        guard let mapping = mapping(node, expected: "a mapping of names to policies") else {
            policyIndices = nil
            return nil
        }
        guard !mapping.entries.isEmpty || !mapping.isComplete else {
            return refuse("no policy here: add one, or leave `policies` out", at: node.position)
        }
        for (index, entry) in mapping.entries.enumerated() {
            policyIndices?[entry.key] = index
        }
        if !mapping.isComplete { policyIndices = nil }
        let policies = mapping.entries.map { policy($0) }
        let sound = policies.compactMap(\.self)
        return sound.count == policies.count ? sound : nil
    }

    /// Warns of each policy that no route names.
    mutating func reportUnusedPolicies(_ node: Node?) {
        guard routesAreKnown, case .mapping(let mapping) = node?.content else { return }
        for entry in mapping.entries where !usedPolicies.contains(entry.key) {
            warn("no route uses the policy \(quoted(entry.key))", at: entry.keyPosition)
        }
    }

    private mutating func policy(_ entry: Mapping.Entry) -> Policy? {
        let key = Node(
            content: .scalar(Scalar(text: entry.key, style: .quoted)), position: entry.keyPosition, weight: 1)
        let name = self.name(key, of: "policy")
        guard let fields = fields(entry.value, section: "policies.NAME") else { return nil }
        let mode = value(of: "mode", in: fields, default: EnforcementMode.enforce) { $0.choice($1) }
        if mode == .audit, let position = fields.keyPosition("mode") {
            warn(
                "the policy \(quoted(entry.key)) refuses nobody: it only logs whom it would refuse; write `mode: enforce`"
                    + " once the log shows nobody that you want",
                at: position)
        }
        var names = NameList(of: "rule")
        let rules = required("rules", in: fields).flatMap { node in
            list(node, of: "rules") { reader, node in
                reader.rule(node, names: &names).map { Located($0, at: node.position) }
            }
        }
        guard let name, let rules else { return nil }
        report(rules, of: name, at: entry.keyPosition)
        return Policy(name: name, mode: mode, rules: rules.map(\.value))
    }

    private mutating func rule(_ node: Node, names: inout NameList) -> Rule? {
        guard let fields = fields(node, section: "policies.NAME.rules[]") else { return nil }
        let name = required("name", in: fields).flatMap { self.name($0, notIn: &names) }
        let action: Action? = required("action", in: fields).flatMap { choice($0) }
        let namesWhom = namesWhom(fields, action: action)
        let identities = conditions("identities", in: fields, of: "identity patterns") { reader, node in
            let pattern = reader.identityPattern(node)
            if action == .allow, pattern?.matchesEveryone == true {
                reader.warn(
                    "this allows every peer of every trust domain that has a bundle, those that are added later"
                        + " included: name whom you mean, such as `spiffe://example.org/ns/NAME/**`",
                    at: node.position)
            }
            return pattern
        }
        let sources = conditions("sources", in: fields, of: "address blocks") { $0.addressBlock($1) }
        let ports = conditions("destinationPorts", in: fields, of: "ports") { $0.portRange($1) }
        let serverNames = conditions("sni", in: fields, of: "server names") { $0.serverNamePattern($1) }
        guard namesWhom, let name, let action, let identities, let sources, let ports, let serverNames else {
            return nil
        }
        return Rule(
            name: name, action: action, identities: identities, sources: sources, destinationPorts: ports,
            serverNames: serverNames)
    }

    /// Whether the rule says whom it means: an open door, or a shut one, must be spelled out.
    private mutating func namesWhom(_ fields: Fields, action: Action?) -> Bool {
        switch action {
        case .allow:
            let remedy = "an allow rule names whom it allows (`spiffe://*/**` is any trusted peer)"
            return required("identities", in: fields, remedy: remedy) != nil
        case .deny:
            let conditions = ["identities", "sources", "destinationPorts", "sni"]
            if conditions.contains(where: { fields.speaks(of: $0) }) { return true }
            error("the rule names no condition, so it would refuse everyone: name whom it denies", at: fields.position)
            return false
        case nil:
            return false
        }
    }

    /// The values of a condition; none if the key is not there, nil if it is misspelt.
    mutating func conditions<Value>(
        _ key: String, in fields: Fields, of expected: String, read: (inout SettingsReader, Node) -> Value?
    ) -> [Value]? {
        guard let node = fields[key] else { return fields.speaks(of: key) ? nil : [] }
        return list(node, of: expected, whenEmpty: "name at least one, or leave the key out", read: read)
    }

    /// Warns of what a policy surely does not mean. No error: a broad deny rule, added in haste, must be let in.
    private mutating func report(_ rules: [Located<Rule>], of policy: String, at position: Position) {
        for (index, shadow) in Policy.unreachableRules(of: rules.map(\.value)) {
            let (rule, earlier) = (rules[index].value, rules[shadow])
            let order = rule.action == earlier.value.action ? "" : ", and deny rules are asked first"
            warn(
                "the rule \(quoted(rule.name)) never decides: \(quoted(earlier.value.name)) at line "
                    + "\(earlier.position.line) matches all that it matches\(order)",
                at: rules[index].position)
        }
        if !rules.contains(where: { $0.value.action == .allow }) {
            warn("the policy \(quoted(policy)) has no allow rule, so it refuses everyone", at: position)
        }
    }
}
