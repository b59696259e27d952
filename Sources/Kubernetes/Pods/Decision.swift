import Settings

/// What is to be done with a workload.
enum Decision {
    case inject(Injectable)
    case skip(SkipReason)

    /// A pod that gets a sidecar.
    struct Injectable {
        let pod: Cursor
        let spec: Cursor
        let sidecar: Sidecar
        let probes: [ApplicationProbe]
        let warnings: [SettingsFlaw]
    }

    /// Throws what makes an injection unsafe.
    init(
        _ workload: Workload, image: String, version: String, _ scan: inout PodScan
    ) throws(SettingsFlaw) {
        try PodChoices.refuseMisplaced(workload)
        guard let pod = workload.pod else {
            self = .skip(workload.isKnown ? .noPodTemplate : .unknownKind)
            return
        }
        let choices = try PodChoices(pod, image: image)
        if choices.isDisabled {
            self = .skip(.disabled)
        } else if let version = choices.injectedBy {
            guard workload.hasProxy else {
                throw pod.flaw(
                    "marked as injected by version \(version), but without the container "
                        + "\(quoted(Sidecar.ContainerName.proxy)): remove \(quoted(PodAnnotation.injected.name))")
            }
            if choices.redirection != .none, let spec = try Self.spec(pod) {
                try scan.refuseUser(in: spec, isInjected: true)
            }
            self = .skip(.alreadyInjected(version: version))
        } else if let spec = try Self.spec(pod) {
            self = try Self.considering(spec, of: pod, choices, version: version, &scan)
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
        _ spec: Cursor, of pod: Cursor, _ choices: PodChoices, version: String, _ scan: inout PodScan
    ) throws(SettingsFlaw) -> Decision {
        guard let containers = try spec.child("containers"), containers.node.resolved.items?.isEmpty == false else {
            return .skip(.noContainers)
        }
        if try isTrue("hostNetwork", in: spec) { return .skip(.hostNetwork) }
        if try isForWindows(spec) { return .skip(.windows) }
        try scan.refuseNames(Sidecar.ContainerName.all, in: spec, lists: ["initContainers", "containers"])
        try scan.refuseNames(Sidecar.VolumeName.all, in: spec, lists: ["volumes"])
        if choices.redirection != .none { try scan.refuseUser(in: spec) }
        let reader = try ProbeReader(spec, choices, &scan)
        let sidecar = Sidecar(
            choices: choices, version: version, probes: try ProbeRecord(reader.probes),
            // A pod that always restarts its containers runs until it is deleted.
            endsByItself: ["Never", "OnFailure"].contains(try spec.text("restartPolicy")))
        var warnings = reader.warnings + ContainerWarnings.all(spec, choices)
        warnings += try sidecar.graceWarning(spec).map { [$0] } ?? []
        if choices.redirection != .none, let annotation = choices.skipsTrial {
            warnings.append(
                pod.warning(
                    "\(quoted(annotation.name)) exempts what the validator dials, so that there is none: nothing proves "
                        + "that redirection works"))
        }
        return .inject(
            Injectable(pod: pod, spec: spec, sidecar: sidecar, probes: reader.probes, warnings: warnings))
    }

    /// By its own word, or because it runs on such nodes alone.
    private static func isForWindows(_ spec: Cursor) throws(SettingsFlaw) -> Bool {
        if try spec.child("os")?.text("name") == "windows" { return true }
        let labels = spec.node.value("nodeSelector")
        return ["kubernetes.io/os", "beta.kubernetes.io/os"].contains { labels?.value($0)?.text == "windows" }
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
}
