import Settings

/// Whether two manifests say the same, apart from what belongs to sidecars.
struct Comparison {
    private enum Role {
        case pod, metadata, annotations, spec
        case items(named: [String])
        /// Rewritten, it asks this path.
        case probe(path: String)
    }

    private let before: Manifest
    private let after: Manifest
    private var roles: [ObjectIdentifier: Role] = [:]

    init(_ before: Manifest, _ after: Manifest) throws(SettingsFlaw) {
        self.before = before
        self.after = after
        for manifest in [before, after] {
            for workload in try manifest.workloads() { note(workload) }
        }
    }

    /// The first document that differs.
    var difference: Manifest.Document? {
        guard before.documents.count == after.documents.count else { return before.documents.first }
        return zip(before.documents, after.documents).first { !isSame($0.root, $1.root) }?.0
    }

    private mutating func note(_ workload: Workload) {
        guard let pod = workload.pod?.node else { return }
        for (path, probe) in pod.probes { roles[ObjectIdentifier(probe)] = .probe(path: path) }
        roles[ObjectIdentifier(pod)] = .pod
        for entry in pod.entries ?? [] {
            let value = entry.value
            switch entry.key.text {
            case "metadata":
                roles[ObjectIdentifier(value)] = .metadata
                for inner in value.entries ?? [] where inner.key.text == "annotations" {
                    roles[ObjectIdentifier(inner.value)] = .annotations
                }
            case "spec":
                roles[ObjectIdentifier(value)] = .spec
                for inner in value.entries ?? [] {
                    switch inner.key.text {
                    case "initContainers":
                        roles[ObjectIdentifier(inner.value)] = .items(named: Sidecar.ContainerName.all)
                    case "volumes": roles[ObjectIdentifier(inner.value)] = .items(named: Sidecar.VolumeName.all)
                    default: break
                    }
                }
            default: break
            }
        }
    }

    /// Whether two values of other manifests say the same, however they are laid out. Space at the end of a block
    /// scalar is what follows it in its file, and does not count.
    static func saysTheSame(_ a: SourceNode, _ b: SourceNode) -> Bool {
        switch (a.content, b.content) {
        case (.scalar(let text, _), .scalar(let other, _)): text == other || text.trimmed.elementsEqual(other.trimmed)
        case (.alias(let name), .alias(let other)): name == other
        case (.sequence(let items), .sequence(let others)):
            items.count == others.count && zip(items, others).allSatisfy { saysTheSame($0, $1) }
        case (.mapping(let entries), .mapping(let others)):
            entries.count == others.count
                && zip(entries, others).allSatisfy { saysTheSame($0.key, $1.key) && saysTheSame($0.value, $1.value) }
        default: false
        }
    }

    private func isSame(_ a: SourceNode, _ b: SourceNode) -> Bool {
        guard a.anchor == b.anchor, a.tag == b.tag else { return false }
        switch (a.content, b.content) {
        case (.scalar(let text, let isPlain), .scalar(let other, let otherIsPlain)):
            return text == other && isPlain == otherIsPlain
        case (.alias(let name), .alias(let other)):
            return name == other
        case (.sequence, .sequence):
            let (items, others) = (items(a), items(b))
            return items.count == others.count && zip(items, others).allSatisfy { isSame($0, $1) }
        case (.mapping, .mapping):
            let (entries, others) = (entries(a), entries(b))
            let path: String? = if case .probe(let path) = role(a) { path } else { nil }
            return entries.count == others.count
                && zip(entries, others).allSatisfy { entry, other in
                    isRewritten(entry, other, path) || isSame(entry.key, other.key) && isSame(entry.value, other.value)
                }
        default:
            return false
        }
    }

    /// Whether one of two handlers of a probe is the other one rewritten.
    private func isRewritten(_ a: SourceNode.Entry, _ b: SourceNode.Entry, _ path: String?) -> Bool {
        guard let path, let key = a.key.text, let otherKey = b.key.text, ProbeKind.handlers.contains(key),
            ProbeKind.handlers.contains(otherKey)
        else { return false }
        return [a, b].contains { ApplicationProbe.isRewritten($0.key, $0.value, path: path) }
    }

    private func role(_ node: SourceNode) -> Role? { roles[ObjectIdentifier(node)] }

    private func items(_ node: SourceNode) -> [SourceNode] {
        guard case .items(let names) = role(node) else { return node.items ?? [] }
        return (node.items ?? []).filter { item in !(item.value("name")?.text.map(names.contains) ?? false) }
    }

    /// Without the mark, and without what is empty where a removal leaves it out.
    private func entries(_ node: SourceNode) -> [SourceNode.Entry] {
        let all = node.entries ?? []
        return switch role(node) {
        case .pod: all.filter { $0.key.text != "metadata" || !isEmpty($0.value) }
        case .metadata: all.filter { $0.key.text != "annotations" || !isEmpty($0.value) }
        case .annotations: all.filter { $0.key.text != PodAnnotation.injected.name }
        case .spec:
            all.filter { !["initContainers", "volumes"].contains($0.key.text) || !isEmpty($0.value) }
        case .items, .probe, nil: all
        }
    }

    private func isEmpty(_ node: SourceNode) -> Bool {
        if node.isNull { return true }
        return switch node.content {
        case .mapping: entries(node).isEmpty
        case .sequence: items(node).isEmpty
        case .scalar, .alias: false
        }
    }
}

extension Manifest {
    /// All workloads, in the order of the file.
    func workloads() throws(SettingsFlaw) -> [Workload] {
        var found: [Workload] = []
        for document in documents { found += try Workload.all(in: Cursor(document, in: source)) }
        return found
    }
}

extension String {
    /// Without spaces and line breaks at the end.
    fileprivate var trimmed: Substring.UTF8View {
        var bytes = self[...].utf8
        while let last = bytes.last, [.space, .newline, .carriageReturn].contains(last) { bytes.removeLast() }
        return bytes
    }
}
