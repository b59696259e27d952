import Settings

/// Looks for what makes an injection unsafe. Goes through what aliases share once for all pods of a manifest, which
/// could share it a billion times.
struct PodScan {
    private var named: Set<ObjectIdentifier> = []
    private var searched: Set<ObjectIdentifier> = []
    private var probeless: Set<ObjectIdentifier> = []

    /// Refuses items that have one of our names.
    mutating func refuseNames(
        _ names: [String], in spec: Cursor, lists: [String]
    ) throws(SettingsFlaw) {
        for list in lists {
            guard let found = try spec.child(list), named.insert(ObjectIdentifier(found.node.resolved)).inserted else {
                continue
            }
            for item in found.node.resolved.items ?? [] {
                guard let name = item.value("name"), let text = name.text, names.contains(text) else { continue }
                throw found.flaw(
                    "the name \(quoted(text)) is one of the sidecar's, but the pod has no "
                        + "annotation \(quoted(PodAnnotation.injected.name)): remove or rename it", at: name)
            }
        }
    }

    /// Refuses the proxy's user anywhere in a pod: that program would pass the proxy by. Merge keys and second keys
    /// cannot hide it.
    ///
    /// - Parameter isInjected: the sidecar's own containers are in the pod, and may have it.
    mutating func refuseUser(in spec: Cursor, isInjected: Bool = false) throws(SettingsFlaw) {
        // Not by recursion: aliases can make a chain of any length.
        var open = [spec.node]
        if isInjected {
            open = (spec.node.entries ?? []).flatMap { entry in
                guard entry.key.text == "initContainers" else { return [entry.value] }
                return (entry.value.resolved.items ?? []).filter {
                    !Sidecar.ContainerName.all.contains($0.value("name")?.text ?? "")
                }
            }
        }
        while let node = open.popLast()?.resolved {
            guard node.entries != nil || node.items != nil, searched.insert(ObjectIdentifier(node)).inserted else {
                continue
            }
            open += node.items ?? []
            for entry in node.entries ?? [] {
                open.append(entry.value)
                guard entry.key.resolved.text == "runAsUser", !Self.isOther(entry.value.resolved) else { continue }
                throw spec.flaw(
                    "`runAsUser` must be a decimal number other than \(Sidecar.user): that is the proxy's user, whose "
                        + "connections are not redirected", at: entry.value)
            }
        }
    }

    /// Whether a container or a list of them may have probes; false only for an alias, so that it need not be edited.
    mutating func mayHaveProbes(_ node: SourceNode) -> Bool {
        guard case .alias = node.content else { return true }
        let shared = node.resolved
        guard !probeless.contains(ObjectIdentifier(shared)) else { return false }
        let containers = shared.items?.map(\.resolved) ?? [shared]
        let has = containers.contains { container in
            container.entries?.contains { entry in
                entry.key.resolved.text.map { $0 == "<<" || ProbeKind(rawValue: $0) != nil } ?? true
            } ?? false
        }
        if !has { probeless.insert(ObjectIdentifier(shared)) }
        return has
    }

    /// Whether a value is certainly another user: `0x539` would be the same in another way.
    private static func isOther(_ node: SourceNode) -> Bool {
        guard !node.isNull else { return true }
        guard case .scalar(let text, isPlain: true) = node.content, node.tag == nil else { return false }
        return text.utf8.allSatisfy(\.isDigit) && (text == "0" || text.utf8.first != UInt8(ascii: "0"))
            && text != Sidecar.user
    }
}
