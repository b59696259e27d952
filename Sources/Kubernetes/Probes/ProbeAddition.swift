import Settings

/// The probes of containers that were added to an injected pod after its injection, by another webhook: kubelet's
/// requests would be refused there. They are rewritten as those of the others were.
struct ProbeAddition {
    let probes: [ApplicationProbe]
    let warnings: [SettingsFlaw]
    /// What the variables of the proxy are to be, by the JSON pointers at which they are set.
    let variables: [(pointer: String, value: Value)]

    /// Nil where there is nothing to rewrite.
    init?(_ pod: Cursor, image: String, _ scan: inout PodScan) throws(SettingsFlaw) {
        guard let spec = try pod.child("spec") else { return nil }
        let reader = try ProbeReader(spec, try PodChoices(pod, image: image), &scan)
        guard let added = try ProbeRecord(reader.probes) else { return nil }
        let containers = try spec.child("initContainers")
        let index = containers?.node.items?.firstIndex { $0.value("name")?.text == Sidecar.ContainerName.proxy }
        guard let containers, let index else { return nil }
        let proxy = "/spec/initContainers/\(index)"
        let environment = try containers.item(index).child("env")
        let present = environment?.node.items ?? []
        var variables: [(pointer: String, value: Value)] = []
        var missing: [Value] = []
        for (name, text) in [
            (ProbeRecord.requestsVariable, added.requests), (ProbeRecord.writtenVariable, added.written),
        ] {
            guard let place = present.firstIndex(where: { $0.value("name")?.text == name }) else {
                missing.append(.mapping([Value.Field("name", .text(name)), Value.Field("value", .text(text))]))
                continue
            }
            let known = present[place].value("value")?.text ?? ""
            guard let joined = ProbeRecord.joined(known, text) else {
                throw containers.flaw("\(quoted(name)) of the proxy is not what postern writes", at: present[place])
            }
            variables.append(("\(proxy)/env/\(place)/value", .text(joined)))
        }
        if !present.contains(where: { $0.value("name")?.text == ProbeRecord.addressesVariable }) {
            missing.append(ProbeRecord.addresses)
        }
        if environment?.node.items == nil {
            variables.append(("\(proxy)/env", .list(missing)))
        } else {
            variables += missing.map { ("\(proxy)/env/-", $0) }
        }
        probes = reader.probes
        warnings = reader.warnings
        self.variables = variables
    }
}
