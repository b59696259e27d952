import Settings

/// What is to be done with a workload.
enum Decision {
    case inject(Sidecar, pod: Cursor, spec: Cursor)
    case skip(SkipReason)

    /// Throws what makes an injection unsafe.
    init(_ workload: Workload, image: String, version: String) throws(SettingsFlaw) {
        try PodChoices.refuseMisplaced(workload)
        guard let pod = workload.pod else {
            self = .skip(.noPodTemplate)
            return
        }
        let choices = try PodChoices(pod, image: image)
        if choices.isDisabled {
            self = .skip(.disabled)
        } else if let version = choices.injectedBy {
            self = .skip(.alreadyInjected(version: version))
        } else if let spec = try Self.spec(pod) {
            self = try Self.considering(spec, of: pod, Sidecar(choices: choices, version: version))
        } else {
            self = .skip(.noContainers)
        }
    }

    private static func spec(_ pod: Cursor) throws(SettingsFlaw) -> Cursor? {
        guard let spec = try pod.child("spec"), !spec.node.isNull else { return nil }
        if case .alias = spec.node.content { try spec.requireEditable() }
        guard spec.node.entries != nil else { throw spec.flaw("`spec` must be a mapping") }
        return spec
    }

    private static func considering(
        _ spec: Cursor, of pod: Cursor, _ sidecar: Sidecar
    ) throws(SettingsFlaw) -> Decision {
        guard let containers = try spec.child("containers"), containers.node.resolved.items?.isEmpty == false else {
            return .skip(.noContainers)
        }
        if try isTrue("hostNetwork", in: spec) { return .skip(.hostNetwork) }
        if spec.node.value("os")?.value("name")?.text == "windows" { return .skip(.windows) }
        try refuseNames(Sidecar.ContainerName.all, in: spec, lists: ["initContainers", "containers"])
        try refuseNames(Sidecar.VolumeName.all, in: spec, lists: ["volumes"])
        if sidecar.choices.installsRules { try refuseUser(spec) }
        return .inject(sidecar, pod: pod, spec: spec)
    }

    /// A boolean as the YAML parser of Kubernetes reads it; anything else is refused, because a wrong guess would leave
    /// a pod without protection.
    private static func isTrue(_ name: String, in spec: Cursor) throws(SettingsFlaw) -> Bool {
        guard let found = try spec.child(name) else { return false }
        let node = found.node.resolved
        if node.isNull { return false }
        if case .scalar(let text, isPlain: true) = node.content {
            switch text.lowercased() {
            case "true", "yes", "on", "y": return true
            case "false", "no", "off", "n": return false
            default: break
            }
        }
        throw found.flaw("expected true or false for \(quoted(name))", at: node)
    }

    private static func refuseNames(
        _ names: [String], in spec: Cursor, lists: [String]
    ) throws(SettingsFlaw) {
        for list in lists {
            guard let found = try spec.child(list) else { continue }
            for item in found.node.resolved.items ?? [] {
                guard let name = item.value("name"), let text = name.text, names.contains(text) else { continue }
                throw found.flaw(
                    "the name \(quoted(text)) is one of the sidecar's, but the pod has no "
                        + "annotation \(quoted(PodAnnotation.injected.name)): remove or rename it", at: name)
            }
        }
    }

    /// A program with the proxy's user would pass the proxy by.
    private static func refuseUser(_ spec: Cursor) throws(SettingsFlaw) {
        var contexts = [spec.node.value("securityContext")]
        for list in ["initContainers", "containers"] {
            contexts += (spec.node.value(list)?.items ?? []).map { $0.value("securityContext") }
        }
        for context in contexts {
            guard let user = context?.value("runAsUser"), user.text == Sidecar.user else { continue }
            throw spec.flaw(
                "`runAsUser: \(Sidecar.user)` is the proxy's user, whose connections are not redirected: use another",
                at: user)
        }
    }
}
