/// A JSON patch (RFC 6902) that does to a pod what ``Placement`` does to its text.
struct JSONPatch {
    private(set) var operations: [Value] = []

    init(_ injectable: Decision.Injectable) {
        let (pod, spec, sidecar) = (injectable.pod.node, injectable.spec.node, injectable.sidecar)
        // First, while the indices of the init containers are those of the review.
        for probe in injectable.probes { rewrite(probe) }
        let annotations = Value.mapping([sidecar.annotation])
        switch (pod.value("metadata"), pod.value("metadata")?.value("annotations")) {
        case (nil, _): add("/metadata", .mapping([Value.Field("annotations", annotations)]))
        case (_?, nil): add("/metadata/annotations", annotations)
        case (_?, _?): add("/metadata/annotations/\(Self.escaped(sidecar.annotation.key))", sidecar.annotation.value)
        }
        for (list, values) in [("initContainers", sidecar.initContainers), ("volumes", sidecar.volumes)] {
            guard spec.value(list) != nil else {
                add("/spec/\(list)", .list(values))
                continue
            }
            for (index, value) in values.enumerated() { add("/spec/\(list)/\(index)", value) }
        }
    }

    /// To a pod that is injected already.
    init(_ addition: ProbeAddition) {
        for probe in addition.probes { rewrite(probe) }
        for (pointer, value) in addition.variables { add(pointer, value) }
    }

    private mutating func rewrite(_ probe: ApplicationProbe) {
        let handler = ApplicationProbe.rewritten(path: probe.path)
        if probe.handlerName != handler.key { remove("\(probe.pointer)/\(probe.handlerName)") }
        // RFC 6902 section 4.1: replaces a member that is there.
        add("\(probe.pointer)/\(handler.key)", handler.value)
    }

    var text: String { Value.list(operations).flow }

    private mutating func add(_ pointer: String, _ value: Value) {
        operations.append(
            .mapping([
                Value.Field("op", .text("add")), Value.Field("path", .text(pointer)), Value.Field("value", value),
            ]))
    }

    private mutating func remove(_ pointer: String) {
        operations.append(.mapping([Value.Field("op", .text("remove")), Value.Field("path", .text(pointer))]))
    }

    /// A name in a JSON pointer (RFC 6901 section 3).
    private static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }
}
