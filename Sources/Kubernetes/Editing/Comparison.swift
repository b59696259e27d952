import Settings

/// Whether two manifests say the same, apart from what belongs to sidecars.
struct Comparison {
    private enum Role {
        case pod, metadata, annotations, spec
        case items(named: [String])
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
            return entries.count == others.count
                && zip(entries, others).allSatisfy { isSame($0.key, $1.key) && isSame($0.value, $1.value) }
        default:
            return false
        }
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
        case .items, nil: all
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
