import Policy

extension SettingsReader {
    /// Reads the policies in the order of the file; none without the section.
    mutating func policies(_ node: Node?) -> [Policy]? {
        policyIndices = [:]
        guard let node else { return [] }
        guard let mapping = mapping(node, expected: "a mapping of names to policies") else {
            policyIndices = nil
            return nil
        }
        guard !mapping.entries.isEmpty || !mapping.isComplete else {
            return refuse("no policy here: add one, or leave \(RootKeys.policies) out", at: node.position)
        }
        for (index, entry) in mapping.entries.enumerated() {
            policyIndices?[entry.key] = index
        }
        if !mapping.isComplete { policyIndices = nil }
        let policies = mapping.entries.map { policy($0) }
        let sound = policies.compactMap(\.self)
        return sound.count == policies.count ? sound : nil
    }

    /// Warns of each unused policy.
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
        guard let fields = fields(entry.value, of: PolicyKeys.section) else { return nil }
        let mode = value(of: PolicyKeys.mode, in: fields)
        if mode == .audit, let position = fields.keyPosition(PolicyKeys.mode) {
            warn(
                "the policy \(quoted(entry.key)) enforces nothing: it only logs what it would refuse; write "
                    + "`\(PolicyKeys.mode.name): enforce` once the log shows no peer that must be allowed",
                at: position)
        }
        var names = NameList(of: "rule")
        let rules = required(PolicyKeys.rules, in: fields).flatMap { node in
            list(node, of: "rules") { reader, node in
                reader.rule(node, names: &names).map { PlacedRule(rule: $0, position: node.position) }
            }
        }
        guard let name, let rules else { return nil }
        report(rules, of: name, at: entry.keyPosition)
        return Policy(name: name, mode: mode, rules: rules.map(\.rule))
    }

    mutating func rule(_ node: Node, names: inout NameList) -> Rule? {
        guard let fields = fields(node, of: RuleKeys.section) else { return nil }
        let name = required(RuleKeys.name, in: fields).flatMap { self.name($0, notIn: &names) }
        let action = required(RuleKeys.action, in: fields)
        let isUnauthenticated = value(of: RuleKeys.unauthenticated, in: fields)
        let isExplicit =
            isUnauthenticated ? namesPlaintext(fields, action: action) : isExplicit(fields, action: action)
        let identities = identityPatterns(RuleKeys.identities, in: fields) { reader, node in
            let pattern = reader.identityPattern(node)
            if action == .allow, pattern?.matchesEveryone == true {
                reader.warn(
                    "this allows every peer of every trust domain that has a bundle, including those added"
                        + " later: name the peers you mean, such as `spiffe://example.org/ns/NAME/**`",
                    at: node.position)
            }
            return pattern
        }
        let sources = condition(RuleKeys.sources, in: fields)
        let ports = condition(RuleKeys.destinationPorts, in: fields)
        let serverNames = condition(RuleKeys.sni, in: fields)
        guard isExplicit, let name, let action, let identities, let sources, let ports, let serverNames else {
            return nil
        }
        return Rule(
            name: name, action: action, identities: identities, isUnauthenticated: isUnauthenticated, sources: sources,
            destinationPorts: ports,
            serverNames: serverNames)
    }

    /// Whether the rule says which clients of plaintext it means; warns of one that lets them in.
    private mutating func namesPlaintext(_ fields: Fields, action: Action?) -> Bool {
        if fields[RuleKeys.identities] != nil {
            error(
                "\(RuleKeys.identities) and \(RuleKeys.unauthenticated) exclude each other: write a rule for each",
                at: fields.position)
            return false
        }
        guard action == .allow else { return true }
        let remedy = "clients that prove nothing are known by their addresses alone"
        guard requires(RuleKeys.sources, in: fields, remedy: remedy) else { return false }
        warn(
            "clients are let in here by their address alone, in plaintext and without identity: remove the rule once"
                + " they speak mTLS",
            at: fields.keyPosition(RuleKeys.unauthenticated) ?? fields.position)
        return true
    }

    /// Whether the rule has a condition: to allow or refuse every peer must be explicit.
    private mutating func isExplicit(_ fields: Fields, action: Action?) -> Bool {
        switch action {
        case .allow:
            let remedy = "an allow rule must name the peers it allows (`spiffe://*/**` is any trusted peer)"
            return requires(RuleKeys.identities, in: fields, remedy: remedy)
        case .deny:
            let conditions: [any NamedKey] = [
                RuleKeys.identities, RuleKeys.sources, RuleKeys.destinationPorts, RuleKeys.sni,
            ]
            if conditions.contains(where: { fields.speaks(of: $0) }) { return true }
            error(
                "the rule has no condition, so it would refuse every peer: name the peers it denies",
                at: fields.position)
            return false
        case nil:
            return false
        }
    }

    /// Warns of rules without effect. Not an error: a broad deny rule added in an emergency must be accepted.
    private mutating func report(_ rules: [PlacedRule], of policy: String, at position: Position) {
        for (index, shadow) in Policy.unreachableRules(of: rules.map(\.rule)) {
            let (rule, earlier) = (rules[index].rule, rules[shadow])
            let order = rule.action == earlier.rule.action ? "" : ", and deny rules take precedence"
            warn(
                "the rule \(quoted(rule.name)) never decides: \(quoted(earlier.rule.name)) at line "
                    + "\(earlier.position.line) matches everything that it matches\(order)",
                at: rules[index].position)
        }
        if !rules.contains(where: { $0.rule.action == .allow }) {
            warn("the policy \(quoted(policy)) has no allow rule, so it refuses every peer", at: position)
        }
    }
}

/// A rule and its position.
private struct PlacedRule {
    let rule: Rule
    let position: Position
}
