import Policy
import Settings

/// Istio's policies for one workload.
///
/// [Authorization Policy](https://istio.io/latest/docs/reference/config/security/authorization-policy/): a matching
/// DENY policy denies; without any ALLOW policy for the workload the request is allowed; a matching ALLOW policy
/// allows; else it is denied. So an ALLOW policy without rules denies all, and one with an empty rule allows all.
struct IstioPolicies {
    let target: ImportTarget
    private var allows: [PeerMatch] = []
    private var denials: [PeerMatch] = []
    private var hasAllowPolicy = false
    private var hasRootPolicy = false
    private var hasAskedForRoot = false
    /// The values of all rules that were read.
    private var size = 0
    /// The namespaces of policies that are for others.
    private var otherNamespaces: [String] = []
    /// Whether one of the policies is for the workload.
    private(set) var apply = false
    private(set) var notes: [SettingsFlaw] = []

    init(target: ImportTarget) { self.target = target }

    /// Takes what an object says about the workload.
    mutating func add(_ object: PolicyObject) throws(SettingsFlaw) {
        switch object.kind {
        case "AuthorizationPolicy": try addPolicy(object)
        case "PeerAuthentication":
            guard object.namespace == target.namespace else { return }
            notes.append(passedOver(object, "the imported policy lets in no client without mutual TLS"))
        case "RequestAuthentication":
            guard try isInScope(object), try isOfRevision(object), try selects(object) else { return }
            throw object.flaw(
                "a RequestAuthentication is about tokens in requests, and Postern decides about connections: check "
                    + "them in the application, and leave this out")
        default:
            guard try isInScope(object) else { return }
            throw object.flaw("the kind \(quoted(object.kind)) of \(object.group) is not known")
        }
    }

    /// The rules, once all objects are taken.
    func compiled(at position: Position) throws(SettingsFlaw) -> (rules: [RuleCompiler.Result], notes: [SettingsFlaw]) {
        var (allows, notes) = (allows, notes)
        if !hasAllowPolicy {
            let origin = RuleOrigin(
                name: "istio-default", description: "Istio's default where no ALLOW policy applies", position: position)
            allows = [PeerMatch(origin: origin)]
            notes.append(
                SettingsFlaw(
                    .warning, at: position,
                    "no ALLOW policy applies to the workload, so that by default all are allowed whom no DENY policy "
                        + "refuses" + (hasRootPolicy ? "" : Self.noRootPolicy)))
        } else if let match = allows.first(where: { $0.identities.terms.contains { $0.trustDomain == nil } }) {
            let plaintext = match.identities == .everyone ? " and clients without mutual TLS" : ""
            notes.append(
                SettingsFlaw(
                    .warning, at: match.origin.position,
                    "this names no trust domain, so that Istio also lets in peers of others that it trusts"
                        + "\(plaintext); Postern lets in those of \(target.identities.trustDomain) and the aliases alone"
                ))
        }
        if !otherNamespaces.isEmpty, let root = target.rootNamespace {
            let names = Set(otherNamespaces).sorted()
            let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
            notes.append(
                SettingsFlaw(
                    .warning, at: position,
                    "passed over: \(otherNamespaces.count) of other namespaces (\(shown)); the root namespace, whose "
                        + "policies are for all, is \(root)"))
        }
        let rules = try RuleCompiler.compile(allows: allows, denials: denials)
        return (rules, notes + notesOfForeignDomains(in: rules))
    }

    private mutating func addPolicy(_ object: PolicyObject) throws(SettingsFlaw) {
        guard try isInScope(object) else { return otherNamespaces.append(object.namespace) }
        if object.namespace == target.rootNamespace { hasRootPolicy = true }
        guard try isOfRevision(object) else {
            return notes.append(passedOver(object, "it is for another revision of Istio"))
        }
        guard try !isForGateways(object) else { return notes.append(passedOver(object, "it is for a gateway")) }
        let spec = try object.spec(
            keys: ["selector", "action", "rules", "provider"],
            inexpressible: ["targetRef": Self.targetRemedy, "targetRefs": Self.targetRemedy])
        guard try isSelected(by: spec?["selector"], of: object) else {
            return notes.append(passedOver(object, "it does not select the workload"))
        }
        if let dryRun = try object.value("metadata", "annotations", "istio.io/dry-run") {
            switch try dryRun.text("`istio.io/dry-run`", in: object.file) {
            case "1", "t", "T", "true", "TRUE", "True":
                return notes.append(passedOver(object, "it is a dry run"))
            case "0", "f", "F", "false", "FALSE", "False": break
            case let other: throw object.flaw("\(quoted(other)) is neither true nor false", at: dryRun)
            }
        }
        let action = try spec?["action"]?.text("`action`", in: object.file) ?? "ALLOW"
        switch action {
        case "ALLOW":
            (apply, hasAllowPolicy) = (true, true)
            allows += try matches(object, spec?["rules"], isDeny: false)
        case "DENY":
            apply = true
            denials += try matches(object, spec?["rules"], isDeny: true)
        case "AUDIT": notes.append(passedOver(object, "AUDIT decides nothing"))
        case "CUSTOM":
            throw object.flaw(
                "the action CUSTOM asks another service, which Postern does not: write DENY or ALLOW policies instead",
                at: spec?["action"])
        default:
            throw object.flaw("the action is ALLOW, DENY, AUDIT or CUSTOM, not \(quoted(action))", at: spec?["action"])
        }
        guard allows.count + denials.count <= RuleCompiler.matchesAtMost else {
            throw object.flaw("the policies make more than \(RuleCompiler.matchesAtMost) rules")
        }
    }

    private func passedOver(_ object: PolicyObject, _ why: String) -> SettingsFlaw {
        object.note("passed over: \(object.description): \(why)")
    }

    /// Whether it is of the workload's namespace or the root namespace.
    private mutating func isInScope(_ object: PolicyObject) throws(SettingsFlaw) -> Bool {
        if object.namespace == target.namespace { return true }
        if let root = target.rootNamespace { return object.namespace == root }
        // Once is enough.
        guard !hasAskedForRoot else { return false }
        hasAskedForRoot = true
        throw object.flaw(
            "this is for all workloads if \(object.namespace) is Istio's root namespace: say with `--root-namespace` "
                + "which that is, such as istio-system")
    }

    /// Whether the workload's control plane heeds it
    /// ([Canary Upgrades](https://istio.io/latest/docs/setup/upgrade/canary/)): one of another revision does not. The
    /// label names a revision or one of its tags, and by neither can be seen which.
    private func isOfRevision(_ object: PolicyObject) throws(SettingsFlaw) -> Bool {
        guard let label = try object.value("metadata", "labels", "istio.io/rev") else { return true }
        let name = try label.text("`istio.io/rev`", in: object.file)
        guard let isOwn = target.revisions.isOwn(name) else {
            let name = name.isName ? name : "NAME"
            throw object.flaw(
                "this is only for one revision of Istio's control plane: say with `--revision \(name)` that it is the "
                    + "workload's, or a tag of it, and with `--revision '!\(name)'` that it is not", at: label)
        }
        return isOwn
    }

    /// Whether all that it is for are gateways of the Gateway API, which no workload with Postern is.
    private func isForGateways(_ object: PolicyObject) throws(SettingsFlaw) -> Bool {
        guard try object.value("spec", "selector") == nil, try object.value("spec", "targetRef") == nil,
            let list = try object.value("spec", "targetRefs")
        else { return false }
        if case .value = target.labels.knowledge(of: "gateway.networking.k8s.io/gateway-name") { return false }
        for item in try list.items("`targetRefs`", in: object.file) {
            let (what, keys) = ("an item of `targetRefs`", ["group", "kind", "name", "namespace", "sectionName"])
            let fields = try ObjectFields(item, what, keys: keys, file: object.file)
            guard fields["group"]?.resolved.text == "gateway.networking.k8s.io",
                let kind = fields["kind"]?.resolved.text, ["Gateway", "GatewayClass"].contains(kind)
            else { return false }
        }
        return true
    }

    private func selects(_ object: PolicyObject) throws(SettingsFlaw) -> Bool {
        try isSelected(by: object.value("spec", "selector"), of: object)
    }

    private func isSelected(by selector: SourceNode?, of object: PolicyObject) throws(SettingsFlaw) -> Bool {
        guard let selector else { return true }
        let labels = LabelSelector(labels: target.labels, file: object.file)
        let selection = try labels.selection(selector, "the selector", hasExpressions: false)
        return try object.isSelected(selection, by: selector)
    }

    /// Says that peers of trust domains are let in that are not known to be foreign; of each domain once.
    private func notesOfForeignDomains(in rules: [RuleCompiler.Result]) -> [SettingsFlaw] {
        var seen: Set<String> = []
        return rules.filter { $0.action == .allow }.flatMap { rule in
            let domains = Set(rule.match.identities.terms.compactMap(\.trustDomain)).sorted()
            return domains.filter { target.identities.isUnnamed($0) && seen.insert($0).inserted }.map { domain in
                SettingsFlaw(
                    .warning, at: rule.match.origin.position,
                    "\(rule.match.origin.description), lets in peers of the trust domain \(domain) under this name: "
                        + "say with `--foreign-trust-domain \(domain)` that it is not the mesh's, or with "
                        + "`--trust-domain-alias` that it is")
            }
        }
    }

    private mutating func matches(
        _ object: PolicyObject, _ rules: SourceNode?, isDeny: Bool
    ) throws(SettingsFlaw) -> [PeerMatch] {
        guard let rules else { return [] }
        let isUnknown = if case .unknown = target.ports { true } else { false }
        let reader = IstioRule(
            object: object, names: IstioNames(naming: target.identities, file: object.file), isDeny: isDeny,
            hasPorts: !isUnknown)
        var matches: [PeerMatch] = []
        for (index, rule) in try rules.items("`rules`", in: object.file, emptyIsNone: true).enumerated() {
            let origin = RuleOrigin(
                name: "\(object.name)-\(index)", description: "\(object.description), rules[\(index)]",
                position: rule.position(in: object.file))
            let read = try reader.matches(rule, origin: origin)
            size += read.reduce(0) { $0 + $1.size }
            guard size <= Self.sizeAtMost else {
                throw object.flaw("the policies have too many values: import fewer at a time", at: rule)
            }
            matches += read.compactMap { match in
                guard let port = target.port else { return match }
                guard match.ports.contains(port) else { return nil }
                var match = match
                match.ports = .all
                return match
            }
            guard matches.count <= RuleCompiler.matchesAtMost else {
                throw object.flaw("the policy makes more than \(RuleCompiler.matchesAtMost) rules", at: rules)
            }
        }
        return matches
    }

    private static let sizeAtMost = 1_048_576
    private static let noRootPolicy =
        "; none of the root namespace is in the input: add those that are there, because they are for all workloads"
    private static let targetRemedy =
        "it binds the policy to a waypoint, which Postern is not: select the workload's pods with `selector`, or leave "
        + "out what is for a waypoint"
}
