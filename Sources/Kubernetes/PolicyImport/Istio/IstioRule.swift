import Policy
import Settings

/// Reads the rules of an Istio AuthorizationPolicy, as far as they are about connections.
///
/// [Authorization Policy, "Rule"](https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule):
/// a rule matches when at least one of its sources, one of its operations and all of its conditions do; an empty rule
/// always does. Within a source or an operation all fields must match, and of a field any value.
struct IstioRule {
    let object: PolicyObject
    let names: IstioNames
    /// Whether what it matches is refused.
    let isDeny: Bool
    /// Whether a rule may depend on ports.
    let hasPorts: Bool

    /// What a rule matches, as a union. `origin` is the rule's.
    func matches(_ node: SourceNode, origin: RuleOrigin) throws(SettingsFlaw) -> [PeerMatch] {
        let fields = try ObjectFields(node, "a rule", keys: ["from", "to", "when"], file: object.file)
        let base = try conditions(fields["when"], PeerMatch(origin: origin))
        var sources = [base]
        if let from = fields["from"] {
            sources = []
            var terms = 0
            for item in try from.items("`from`", in: object.file) {
                let entry = try ObjectFields(item, "an item of `from`", keys: ["source"], file: object.file)
                let source = try source(entry.required("source", of: "an item of `from`"), origin)
                guard base.identities.terms.count * source.identities.terms.count <= Self.termsAtMost,
                    base.excluded.terms.count + source.excluded.terms.count <= Self.termsAtMost
                else { throw tooMany(item) }
                sources.append(base.intersection(source))
                terms += sources.last?.size ?? 0
                guard terms <= Self.termsOfRuleAtMost else { throw tooMany(item) }
            }
        }
        guard let to = fields["to"] else { return sources }
        var operations: [PeerMatch] = []
        for item in try to.items("`to`", in: object.file) {
            let entry = try ObjectFields(item, "an item of `to`", keys: ["operation"], file: object.file)
            operations.append(try operation(entry.required("operation", of: "an item of `to`"), origin))
        }
        guard sources.count * operations.count <= RuleCompiler.matchesAtMost else {
            throw object.flaw("`from` and `to` make more than \(RuleCompiler.matchesAtMost) rules", at: node)
        }
        let terms = sources.reduce(0) { $0 + $1.size } * operations.count
        guard terms <= Self.termsOfRuleAtMost else { throw tooMany(node) }
        return sources.flatMap { source in operations.map(source.intersection) }
    }

    private func source(_ node: SourceNode, _ origin: RuleOrigin) throws(SettingsFlaw) -> PeerMatch {
        let fields = try ObjectFields(
            node, "a source", keys: Self.sourceKeys, inexpressible: Self.inexpressibleSources, file: object.file)
        guard !fields.isEmpty else {
            throw object.flaw("the source is empty: leave `from` out to mean anybody", at: node)
        }
        var match = PeerMatch(origin: origin)
        for isNegative in [false, true] {
            for (key, read) in readers(isNegative: isNegative) {
                let field = isNegative ? "not" + key.prefix(1).uppercased() + key.dropFirst() : key
                try add(fields[field], quoted(field), to: &match, isNegative: isNegative, read)
            }
        }
        try addBlocks(fields["ipBlocks"], to: &match, isNegative: false)
        try addBlocks(fields["notIpBlocks"], to: &match, isNegative: true)
        return match
    }

    private func operation(_ node: SourceNode, _ origin: RuleOrigin) throws(SettingsFlaw) -> PeerMatch {
        let fields = try ObjectFields(
            node, "an operation", keys: ["ports", "notPorts"], inexpressible: Self.inexpressibleOperations,
            file: object.file)
        guard !fields.isEmpty else {
            throw object.flaw("the operation is empty: leave `to` out to mean any", at: node)
        }
        var match = PeerMatch(origin: origin)
        try addPorts(fields["ports"], to: &match, isNegative: false)
        try addPorts(fields["notPorts"], to: &match, isNegative: true)
        return match
    }

    /// The conditions of `when` that are those of a source or an operation by another name
    /// ([Authorization Policy Conditions](https://istio.io/latest/docs/reference/config/security/conditions/)).
    private func conditions(_ node: SourceNode?, _ base: PeerMatch) throws(SettingsFlaw) -> PeerMatch {
        guard let node else { return base }
        var match = base
        for item in try node.items("`when`", in: object.file) {
            let what = "a condition"
            let fields = try ObjectFields(item, what, keys: ["key", "values", "notValues"], file: object.file)
            let key = try fields.required("key", of: what)
            guard fields["values"] != nil || fields["notValues"] != nil else {
                throw object.flaw("the condition has neither `values` nor `notValues`", at: item)
            }
            for (values, isNegative) in [(fields["values"], false), (fields["notValues"], true)] {
                switch try key.text("`key`", in: object.file) {
                case "source.principal":
                    let read = principals(isNegative: isNegative)
                    try add(values, "the values", to: &match, isNegative: isNegative, read)
                case "source.namespace":
                    try add(values, "the values", to: &match, isNegative: isNegative, names.namespace)
                case "source.ip": try addBlocks(values, to: &match, isNegative: isNegative)
                case "destination.port": try addPorts(values, to: &match, isNegative: isNegative)
                case let other:
                    throw object.flaw(
                        "the condition \(quoted(other)) cannot be expressed; those that can are source.principal, "
                            + "source.namespace, source.ip and destination.port. \(remedy)", at: key)
                }
            }
        }
        return match
    }

    private typealias Reader = (SourceNode) throws(SettingsFlaw) -> [IdentityTerm]

    /// Whether those that a list names are refused.
    private func takesAway(_ isNegative: Bool) -> Bool { isDeny != isNegative }

    private func principals(isNegative: Bool) -> Reader {
        let (names, takesAway) = (names, takesAway(isNegative))
        return { node throws(SettingsFlaw) in try names.principal(node, takesAway: takesAway) }
    }

    private func readers(isNegative: Bool) -> [(String, Reader)] {
        let (names, namespace, takesAway) = (names, object.namespace, takesAway(isNegative))
        return [
            ("principals", principals(isNegative: isNegative)), ("namespaces", names.namespace),
            (
                "serviceAccounts",
                { node throws(SettingsFlaw) in
                    try names.serviceAccount(node, namespace: namespace, takesAway: takesAway)
                }
            ),
        ]
    }

    private func add(
        _ list: SourceNode?, _ what: String, to match: inout PeerMatch, isNegative: Bool, _ read: Reader
    ) throws(SettingsFlaw) {
        guard let list else { return }
        var terms: [IdentityTerm] = []
        for item in try list.items(what, in: object.file) { terms += try read(item) }
        if isNegative {
            guard match.excluded.terms.count + terms.count <= Self.termsAtMost else { throw tooMany(list) }
            match.excluded = IdentitySet(match.excluded.terms + terms)
        } else {
            guard match.identities.terms.count * terms.count <= Self.termsAtMost else { throw tooMany(list) }
            match.identities = match.identities.intersection(IdentitySet(terms))
        }
    }

    private func addBlocks(_ list: SourceNode?, to match: inout PeerMatch, isNegative: Bool) throws(SettingsFlaw) {
        guard let list else { return }
        var blocks: [CIDR] = []
        for item in try list.items("a list of addresses", in: object.file) {
            blocks.append(try item.block(in: object.file))
        }
        let set = SourceSet(blocks)
        let sources = isNegative ? match.sources.subtracting(set) : match.sources.intersection(set)
        guard let sources, sources.count <= SourceSet.blocksAtMost else { throw tooMany(list) }
        match.sources = sources
    }

    private func addPorts(_ list: SourceNode?, to match: inout PeerMatch, isNegative: Bool) throws(SettingsFlaw) {
        guard let list else { return }
        guard hasPorts else {
            throw object.flaw(
                "this depends on the application's port, which only a transparent listener sees: say with `--port` "
                    + "which one the policy is for, or with `--transparent` that it is for such a listener", at: list)
        }
        var ports: [UInt16] = []
        for item in try list.items("a list of ports", in: object.file) {
            let text = try item.text("a port", in: object.file)
            guard let range = try? PortRange(parsing: text), range.lower == range.upper, !text.contains("-") else {
                throw object.flaw("\(quoted(text)) is no port: write each as a number from 1 to 65535", at: item)
            }
            ports.append(range.lower)
        }
        let set = PortSet(ports)
        match.ports = isNegative ? match.ports.subtracting(set) : match.ports.intersection(set)
    }

    private func tooMany(_ node: SourceNode) -> SettingsFlaw {
        object.flaw("too many values to combine: name fewer, and what to allow instead of what to exclude", at: node)
    }

    private var remedy: String { Self.remedy }

    private static let termsAtMost = 4_096
    private static let termsOfRuleAtMost = 65_536

    private static let remedy =
        "Postern decides about connections: leave such a rule out of an ALLOW policy, which then allows less, and "
        + "check in the application what a DENY policy refuses"

    private static let sourceKeys = [
        "principals", "notPrincipals", "namespaces", "notNamespaces", "serviceAccounts", "notServiceAccounts",
        "ipBlocks", "notIpBlocks",
    ]
    private static let inexpressibleSources = Dictionary(
        uniqueKeysWithValues: [
            "requestPrincipals", "notRequestPrincipals", "remoteIpBlocks", "notRemoteIpBlocks", "trustDomains",
            "notTrustDomains",
        ].map { ($0, remedy) })
    private static let inexpressibleOperations = Dictionary(
        uniqueKeysWithValues: ["hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"].map { ($0, remedy) })
}
