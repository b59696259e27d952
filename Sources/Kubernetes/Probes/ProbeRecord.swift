import Settings

/// What the proxy's container knows of the application's probes.
struct ProbeRecord {
    /// For the proxy: the requests by path.
    static let requestsVariable = "POSTERN_APP_PROBES"
    /// For a removal: the handlers as they were written, by path.
    static let writtenVariable = "POSTERN_APP_PROBES_WRITTEN"
    /// For the proxy: the addresses of the pod, for an application that listens on these alone.
    static let addressesVariable = "POSTERN_POD_IPS"
    static let addresses = Value.mapping([
        Value.Field("name", .text(addressesVariable)),
        Value.Field(
            "valueFrom",
            .mapping([Value.Field("fieldRef", .mapping([Value.Field("fieldPath", .text("status.podIPs"))]))])),
    ])
    /// A variable of more than 128 KiB keeps a program from being started.
    static let bytesAtMost = 100 << 10

    let requests: String
    let written: String

    /// Nil without probes.
    init?(_ probes: [ApplicationProbe]) throws(SettingsFlaw) {
        guard let first = probes.first else { return nil }
        requests = Value.mapping(probes.map { Value.Field($0.path, $0.request) }).environmentText
        var fields: [Value.Field] = []
        for probe in probes { fields.append(Value.Field(probe.path, try WrittenHandler(probe.handler).value)) }
        written = Value.mapping(fields).environmentText
        guard max(requests.utf8.count, written.utf8.count) <= Self.bytesAtMost else {
            throw first.handler.flaw("the probes of this pod are longer than \(Self.bytesAtMost >> 10) KiB")
        }
    }

    var environment: [Value] {
        [(Self.requestsVariable, requests), (Self.writtenVariable, written)].map { name, text in
            .mapping([Value.Field("name", .text(name)), Value.Field("value", .text(text))])
        } + [Self.addresses]
    }

    /// The JSON objects of two records as one, where the second one counts; nil if the first is none, or both together
    /// are too long.
    static func joined(_ known: String, _ added: String) -> String? {
        func entries(_ text: String) -> [SourceNode.Entry]? {
            guard text.hasPrefix("{"), text.hasSuffix("}") else { return nil }
            return try? Manifest(Array(text.utf8), file: "").documents.first?.root.entries
        }
        guard known.utf8.count + added.utf8.count <= bytesAtMost, let old = entries(known), let new = entries(added)
        else { return nil }
        let paths = Set(new.compactMap(\.key.text))
        let bytes = Array(known.utf8)
        let kept = old.filter { !paths.contains($0.key.text ?? "") }.map { entry in
            String(decoding: bytes[entry.key.start..<entry.value.end], as: UTF8.self)
        }
        return "{" + (kept + [String(added.dropFirst().dropLast())]).joined(separator: ", ") + "}"
    }

    /// The handlers as they were written, by path, from an injected pod.
    static func written(in pod: Cursor) throws(SettingsFlaw) -> [String: WrittenHandler] {
        let containers = pod.node.value("spec")?.value("initContainers")?.items ?? []
        let proxy = containers.first { $0.value("name")?.text == Sidecar.ContainerName.proxy }
        let variable = proxy?.value("env")?.items?.first { $0.value("name")?.text == writtenVariable }
        guard let node = variable?.value("value"), let text = node.text else { return [:] }
        guard let record = try? Manifest(Array(text.utf8), file: pod.source.file).documents.first?.root.entries else {
            throw pod.flaw("\(quoted(writtenVariable)) is no JSON", at: node)
        }
        var handlers: [String: WrittenHandler] = [:]
        for entry in record {
            guard let path = entry.key.text, let handler = WrittenHandler(entry.value) else {
                throw pod.flaw("\(quoted(writtenVariable)) is not what postern writes", at: node)
            }
            handlers[path] = handler
        }
        return handlers
    }
}
