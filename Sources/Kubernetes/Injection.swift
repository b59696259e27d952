public import Settings

/// Adds the sidecar to the pods of a Kubernetes manifest, and takes it out again.
///
/// Everything else stays as it is, byte for byte. A result is read again before it is returned: it says the same as the
/// text before, apart from the sidecar, and a removal gives that text back. What cannot be edited so is refused.
public struct Injection: Sendable {
    /// Larger texts are refused.
    public static let bytesAtMost = Manifest.bytesAtMost

    /// The image of the proxy, unless a pod's annotation names another.
    public let image: String
    /// The version of this program, with which a pod is marked.
    public let version: String

    /// Nil if that is no image.
    public init?(image: String, version: String) {
        guard image.isImage else { return nil }
        self.image = image
        self.version = version
    }

    /// A text and what was done.
    public struct Result: Sendable {
        public let text: [UInt8]
        public let reports: [WorkloadReport]
        /// Of the proxies that were added.
        public var images: Set<String> = []
    }

    /// Adds the sidecar to each pod that has none.
    public func inject(_ text: [UInt8], file: String) throws(InjectionRefusal) -> Result {
        let manifest: Manifest
        let workloads: [Workload]
        do throws(SettingsFlaw) {
            manifest = try Manifest(text, file: file)
            workloads = try manifest.workloads()
        } catch {
            throw InjectionRefusal(flaws: [error])
        }
        return try injected(manifest, workloads)
    }

    /// Takes the sidecar out of each pod that has one.
    public static func uninject(_ text: [UInt8], file: String) throws(InjectionRefusal) -> Result {
        do throws(SettingsFlaw) {
            return try removed(Manifest(text, file: file))
        } catch {
            throw InjectionRefusal(flaws: [error])
        }
    }

    // MARK: Private

    private func injected(_ manifest: Manifest, _ workloads: [Workload]) throws(InjectionRefusal) -> Result {
        var placement = Placement()
        var reports: [WorkloadReport] = []
        var injected: [Int: Decision.Injectable] = [:]
        var flaws: [SettingsFlaw] = []
        var scan = PodScan()
        for workload in workloads {
            do throws(SettingsFlaw) {
                switch try Decision(workload, image: image, version: version, &scan) {
                case .skip(let reason):
                    reports.append(WorkloadReport(workload, .skipped(reason)))
                case .inject(let injectable):
                    try placement.add(injectable)
                    injected[reports.count] = injectable
                    let outcome = WorkloadReport.Outcome.injected(injectable.sidecar.choices.redirection)
                    reports.append(WorkloadReport(workload, outcome, warnings: injectable.warnings))
                }
            } catch {
                flaws.append(error)
                guard flaws.count < Self.flawsAtMost else { break }
            }
        }
        guard flaws.isEmpty else { throw InjectionRefusal(flaws: flaws) }
        let text = placement.edits.applied(to: manifest.source.bytes)
        guard let first = injected.keys.min() else { return Result(text: text, reports: reports) }
        let images = Set(injected.values.map(\.sidecar.choices.image))
        do throws(SettingsFlaw) {
            try Self.verify(text, of: manifest, injected, at: reports[first].position)
        } catch {
            throw InjectionRefusal(flaws: [error])
        }
        return Result(text: text, reports: reports, images: images)
    }

    /// Enough to see what is wrong.
    private static let flawsAtMost = 100

    private static func removed(_ manifest: Manifest) throws(SettingsFlaw) -> Result {
        var removal = Removal(manifest.source)
        var reports: [WorkloadReport] = []
        for workload in try manifest.workloads() {
            guard let pod = workload.pod, let metadata = try pod.child("metadata"),
                metadata.node.value("annotations")?.value(PodAnnotation.injected.name) != nil
            else {
                reports.append(
                    WorkloadReport(
                        workload, .skipped(workload.pod == nil && workload.isKnown ? .noPodTemplate : .notInjected)))
                continue
            }
            try removal.remove(from: pod, number: reports.count)
            reports.append(WorkloadReport(workload, .removed, warnings: Removal.mountWarnings(pod)))
        }
        let text = removal.finished().applied(to: manifest.source.bytes)
        guard text != manifest.source.bytes, let first = reports.first(where: { $0.outcome == .removed }) else {
            return Result(text: text, reports: reports)
        }
        let after = try reread(text, of: manifest, at: first.position)
        if let document = try Comparison(manifest, after).difference {
            throw refusal(document.root, in: manifest)
        }
        let workloads = try after.workloads()
        guard !workloads.contains(where: \.hasSidecar), removal.isRestored(in: workloads) else {
            throw refusal(at: first.position)
        }
        return Result(text: text, reports: reports)
    }

    /// Refuses a result that says anything else than was meant, or that could not be undone.
    private static func verify(
        _ text: [UInt8], of manifest: Manifest, _ injected: [Int: Decision.Injectable], at position: Position
    ) throws(SettingsFlaw) {
        let after = try reread(text, of: manifest, at: position)
        if let document = try Comparison(manifest, after).difference { throw refusal(document.root, in: manifest) }
        var removal = Removal(after.source)
        for (index, workload) in try after.workloads().enumerated() {
            guard let injectable = injected[index] else { continue }
            guard let pod = workload.pod, injectable.sidecar.isIn(pod.node) else { throw refusal(at: position) }
            let restored = removal.restored.count
            try removal.remove(from: pod, number: index)
            guard removal.restored.count == restored + injectable.probes.count else { throw refusal(at: position) }
        }
        guard removal.finished().applied(to: text) == manifest.source.bytes else { throw refusal(at: position) }
    }

    private static func reread(
        _ text: [UInt8], of manifest: Manifest, at position: Position
    ) throws(SettingsFlaw) -> Manifest {
        do throws(SettingsFlaw) {
            return try Manifest(text, file: manifest.source.file)
        } catch {
            // It may as well have grown beyond a limit.
            throw SettingsFlaw(
                .error, at: position,
                "this document cannot be edited safely: the result would be flawed: \(error.message)")
        }
    }

    private static func refusal(_ node: SourceNode, in manifest: Manifest) -> SettingsFlaw {
        refusal(at: Position(file: manifest.source.file, line: node.line, column: node.column))
    }

    private static func refusal(at position: Position) -> SettingsFlaw {
        SettingsFlaw(
            .error, at: position,
            "this document is written in a way that cannot be edited safely: put keys on lines of their own, "
                + "indented by spaces")
    }
}

/// Why a manifest is not edited; it stays as it is, whole.
public struct InjectionRefusal: Error, Sendable {
    public let flaws: [SettingsFlaw]
}

extension Placement {
    fileprivate mutating func add(_ injectable: Decision.Injectable) throws(SettingsFlaw) {
        let (sidecar, pod, spec) = (injectable.sidecar, injectable.pod, injectable.spec)
        for probe in injectable.probes { try rewrite(probe) }
        let annotation = sidecar.annotation
        if let metadata = try pod.child("metadata") {
            if metadata.node.isEmpty {
                let value = Value.mapping([Value.Field("annotations", .mapping([annotation]))])
                try fill(metadata, "metadata", with: value)
            } else if let field = try add(annotation, toMapping: "annotations", of: metadata) {
                try add([field], to: metadata)
            }
        } else {
            let annotations = Value.Field("annotations", .mapping([annotation]))
            try add([Value.Field("metadata", .mapping([annotations]))], to: pod)
        }
        var fields: [Value.Field] = []
        if let field = try add(sidecar.initContainers, toList: "initContainers", of: spec) { fields.append(field) }
        if let field = try add(sidecar.volumes, toList: "volumes", of: spec) { fields.append(field) }
        try add(fields, to: spec)
    }
}

extension Sidecar {
    /// Whether a pod has exactly this sidecar, in front of its own init containers and volumes.
    fileprivate func isIn(_ pod: SourceNode) -> Bool {
        func begins(_ list: SourceNode?, with values: [Value]) -> Bool {
            let items = list?.items ?? []
            return items.count >= values.count && zip(values, items).allSatisfy { $0.isSame(as: $1) }
        }
        let spec = pod.value("spec")
        return pod.value("metadata")?.value("annotations")?.value(annotation.key)?.text == version
            && begins(spec?.value("initContainers"), with: initContainers)
            && begins(spec?.value("volumes"), with: volumes)
    }
}

extension Workload {
    /// Whether anything of a sidecar is in it.
    fileprivate var hasSidecar: Bool {
        guard let pod = pod?.node else { return false }
        func has(_ list: String, _ names: [String]) -> Bool {
            pod.written("spec")?.written(list)?.items?.contains { $0.value("name")?.text.map(names.contains) ?? false }
                ?? false
        }
        return pod.value("metadata")?.value("annotations")?.value(PodAnnotation.injected.name) != nil
            || has("initContainers", Sidecar.ContainerName.all) || has("volumes", Sidecar.VolumeName.all)
    }
}
