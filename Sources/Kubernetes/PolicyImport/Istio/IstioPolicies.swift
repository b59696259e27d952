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
    /// Whether one of the policies is for the workload.
    private(set) var apply = false
    private(set) var notes: [SettingsFlaw] = []

    init(target: ImportTarget) { self.target = target }

    /// Takes what an object says about the workload.
    mutating func add(_ object: PolicyObject) throws(SettingsFlaw) {
        switch object.kind {
        case "AuthorizationPolicy": try addPolicy(object)
        case "PeerAuthentication":
            notes.append(object.note("passed over: Postern always demands mutual TLS"))
        case "RequestAuthentication":
            guard object.namespace == target.namespace || object.namespace == target.rootNamespace else { return }
            throw object.flaw(
                "a RequestAuthentication is about tokens in requests, and Postern decides about connections: check "
                    + "them in the application, and leave this out")
        default: throw object.flaw("the kind \(quoted(object.kind)) of \(object.group) is not known")
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
                    "no ALLOW policy applies to the workload, so that all of the trust domain are allowed whom no "
                        + "DENY policy refuses"))
        }
        return (try RuleCompiler.compile(allows: allows, denials: denials), notes)
    }

    private mutating func addPolicy(_ object: PolicyObject) throws(SettingsFlaw) {
        guard object.namespace == target.namespace || object.namespace == target.rootNamespace else {
            return notes.append(object.note("passed over: it is for the namespace \(object.namespace)"))
        }
        let spec = try object.spec(
            keys: ["selector", "action", "rules", "provider"],
            inexpressible: ["targetRef": Self.targetRemedy, "targetRefs": Self.targetRemedy])
        if let selector = spec?["selector"] {
            let labels = LabelSelector(labels: target.labels, file: object.file)
            let selection = try labels.selection(selector, "the selector", hasExpressions: false)
            guard try object.isSelected(selection, by: selector) else {
                return notes.append(object.note("passed over: it does not select the workload"))
            }
        }
        if let dryRun = try object.value("metadata", "annotations", "istio.io/dry-run") {
            switch try dryRun.text("`istio.io/dry-run`", in: object.file) {
            case "true": return notes.append(object.note("passed over: it is a dry run"))
            case "false": break
            case let other: throw object.flaw("\(quoted(other)) is neither true nor false", at: dryRun)
            }
        }
        let action = try spec?["action"]?.text("`action`", in: object.file) ?? "ALLOW"
        switch action {
        case "ALLOW":
            (apply, hasAllowPolicy) = (true, true)
            allows += try matches(object, spec?["rules"])
        case "DENY":
            apply = true
            denials += try matches(object, spec?["rules"])
        case "AUDIT": notes.append(object.note("passed over: AUDIT decides nothing"))
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

    private func matches(_ object: PolicyObject, _ rules: SourceNode?) throws(SettingsFlaw) -> [PeerMatch] {
        guard let rules else { return [] }
        let reader = IstioRule(
            object: object, names: IstioNames(naming: target.identities, file: object.file))
        var matches: [PeerMatch] = []
        for (index, rule) in try rules.items("`rules`", in: object.file, emptyIsNone: true).enumerated() {
            let origin = RuleOrigin(
                name: "\(object.name)-\(index)", description: "\(object.description), rules[\(index)]",
                position: rule.position(in: object.file))
            matches += try reader.matches(rule, origin: origin).compactMap { match in
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

    private static let targetRemedy =
        "it binds the policy to a waypoint or a gateway, which Postern is not: select the workload's pods with "
        + "`selector`"
}
