import Settings

/// A probe that the kubelet makes over the network, which the inbound listener would refuse: the kubelet has no SVID.
/// It is rewritten to ask the proxy's admin endpoint, which asks the application.
struct ApplicationProbe {
    /// At the admin endpoint, such as `/app-health/orders/livez`.
    let path: String
    /// The JSON pointer (RFC 6901) of the probe in the pod.
    let pointer: String
    /// The value of `httpGet`, `tcpSocket` or `grpc`.
    let handler: Cursor
    /// Which of these.
    let handlerName: String
    /// The probe for the proxy, with the number of its port.
    let request: Value

    static let pathPrefix = "/app-health/"

    static func path(container: String, _ kind: ProbeKind) -> String { "\(pathPrefix)\(container)/\(kind.pathEnd)" }

    /// The handler that replaces the one as written.
    static func rewritten(path: String) -> Value.Field {
        Value.Field(
            "httpGet",
            .mapping([Value.Field("path", .text(path)), Value.Field("port", .plain(Sidecar.adminPort))]))
    }

    /// Whether a handler is the rewritten one; a cluster adds fields to it.
    static func isRewritten(_ key: SourceNode, _ value: SourceNode, path: String) -> Bool {
        key.text == "httpGet" && value.value("path")?.text == path
    }
}

/// Finds the probes of a pod.
struct ProbeReader {
    private let choices: PodChoices
    private(set) var probes: [ApplicationProbe] = []
    private(set) var warnings: [SettingsFlaw] = []
    private var paths: Set<String> = []

    init(_ spec: Cursor, _ choices: PodChoices, _ scan: inout PodScan) throws(SettingsFlaw) {
        self.choices = choices
        guard choices.redirection != .none else { return }
        do throws(SettingsFlaw) {
            try read(spec, &scan)
        } catch {
            // Then nothing is written there, and the warnings need not be complete.
            guard choices.rewritesProbes else { return }
            throw SettingsFlaw(
                .error, at: error.position,
                "\(error.message); or keep the probes by \(quoted(PodAnnotation.probes.name + ": keep"))")
        }
    }

    private mutating func read(_ spec: Cursor, _ scan: inout PodScan) throws(SettingsFlaw) {
        for list in ["initContainers", "containers"] {
            guard let containers = try spec.child(list), scan.mayHaveProbes(containers.node) else { continue }
            if case .alias = containers.node.content { try containers.requireEditable() }
            for index in (containers.node.items ?? []).indices {
                let container = containers.item(index)
                // Of a pod that is injected already.
                if let name = container.node.value("name")?.text, Sidecar.ContainerName.all.contains(name) { continue }
                guard scan.mayHaveProbes(container.node) else { continue }
                if case .alias = container.node.content { try container.requireEditable() }
                try read(container, "/spec/\(list)/\(index)")
            }
        }
    }

    private mutating func read(_ container: Cursor, _ pointer: String) throws(SettingsFlaw) {
        for kind in ProbeKind.allCases {
            guard let probe = try container.child(kind.rawValue), !probe.node.isNull else { continue }
            if case .alias = probe.node.content { try probe.requireEditable() }
            for name in ProbeKind.handlers {
                guard let handler = try probe.child(name), !handler.node.isNull else { continue }
                try read(handler, name, probe, kind, in: container, "\(pointer)/\(kind.rawValue)")
            }
        }
        warnings += LifecycleWarnings.all(container, choices)
    }

    private mutating func read(
        _ handler: Cursor, _ name: String, _ probe: Cursor, _ kind: ProbeKind, in container: Cursor, _ pointer: String
    ) throws(SettingsFlaw) {
        if case .alias = handler.node.content { try handler.requireEditable() }
        let rewritten = ApplicationProbe.path(container: container.node.value("name")?.text ?? "", kind)
        if let key = handler.key, ApplicationProbe.isRewritten(key, handler.node, path: rewritten) { return }
        // The kubelet asks another host.
        guard try handler.text("host").isEmpty else { return }
        let owner = try container.text("name")
        guard let port = try Self.port(handler, in: container) else {
            warnings.append(
                handler.warning(
                    "the \(kind.rawValue) of \(quoted(owner)) names no port of its container, and is left as it is"))
            return
        }
        guard !choices.skipsInbound(port) else { return }
        guard choices.rewritesProbes else {
            warnings.append(
                handler.warning(
                    "the \(kind.rawValue) of \(quoted(owner)) asks port \(port) in plaintext, which the inbound "
                        + "listener refuses: name the port in \(quoted(PodAnnotation.skipInboundPorts.name)), "
                        + "or leave out \(quoted(PodAnnotation.probes.name))"))
            return
        }
        guard owner.isObjectName, !owner.contains("."), owner.utf8.count <= 63 else {
            throw container.flaw(
                "a container with a \(kind.rawValue) needs a name of at most 63 small letters, digits and `-`")
        }
        let path = ApplicationProbe.path(container: owner, kind)
        guard paths.insert(path).inserted else {
            throw handler.flaw("a second \(kind.rawValue) of \(quoted(owner))")
        }
        var fields = [Value.Field(name, try Self.request(handler, name, port))]
        if let seconds = Int(try probe.text("timeoutSeconds")), seconds > 0 {
            fields.append(Value.Field("timeoutSeconds", .plain(String(min(seconds, Self.secondsAtMost)))))
        }
        probes.append(
            ApplicationProbe(
                path: path, pointer: pointer, handler: handler, handlerName: name, request: .mapping(fields)))
    }

    /// What the proxy is to ask.
    private static func request(_ handler: Cursor, _ name: String, _ port: UInt16) throws(SettingsFlaw) -> Value {
        var fields = [Value.Field("port", .plain(String(port)))]
        switch name {
        case "httpGet":
            let path = try handler.text("path")
            try refuseControls(path, handler)
            fields.insert(Value.Field("path", .text(path.hasPrefix("/") ? path : "/" + path)), at: 0)
            let scheme = try handler.text("scheme")
            guard ["", "HTTP", "HTTPS"].contains(scheme) else { throw handler.flaw("`scheme` must be HTTP or HTTPS") }
            if !scheme.isEmpty { fields.append(Value.Field("scheme", .text(scheme))) }
            if let headers = try headers(handler) { fields.append(Value.Field("httpHeaders", .list(headers))) }
        case "grpc":
            let service = try handler.text("service")
            try refuseControls(service, handler)
            guard service.utf8.count <= serviceBytesAtMost else { throw handler.flaw("`service` is too long") }
            if !service.isEmpty { fields.append(Value.Field("service", .text(service))) }
        default: break
        }
        return .mapping(fields)
    }

    private static func headers(_ handler: Cursor) throws(SettingsFlaw) -> [Value]? {
        guard let list = try handler.child("httpHeaders"), !list.node.isNull else { return nil }
        if case .alias = list.node.content { try list.requireEditable() }
        guard let items = list.node.items, items.count <= headersAtMost else {
            throw list.flaw("`httpHeaders` must be a list of at most \(headersAtMost)")
        }
        var headers: [Value] = []
        for index in items.indices {
            let header = list.item(index)
            if case .alias = header.node.content { try header.requireEditable() }
            let (name, value) = (try header.text("name"), try header.text("value"))
            try refuseControls(name + value, header)
            guard name.isToken, value.utf8.count <= valueBytesAtMost else {
                throw header.flaw("\(quoted(name)) is no header of HTTP, or its value is too long")
            }
            headers.append(.mapping([Value.Field("name", .text(name)), Value.Field("value", .text(value))]))
        }
        return headers
    }

    // The proxy takes no more of its environment.
    private static let secondsAtMost = 600
    private static let headersAtMost = 64
    private static let valueBytesAtMost = 4_096
    private static let serviceBytesAtMost = 1_024

    /// They would write requests of their own.
    private static func refuseControls(_ text: String, _ place: Cursor) throws(SettingsFlaw) {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw place.flaw("a probe must have no line breaks and control characters: they cannot be sent")
        }
    }

    /// The number of the port; nil for a name that is not one of the container's.
    static func port(_ handler: Cursor, in container: Cursor) throws(SettingsFlaw) -> UInt16? {
        _ = try handler.text("port")
        guard let node = handler.node.value("port") else { return nil }
        // To a YAML parser 0777 and 0x1F90 are other numbers, and 8_080 is one.
        if case .scalar(let text, isPlain: true) = node.content, text.utf8.first?.isDigit == true,
            text.utf8.contains(where: { !$0.isDigit }) || text.utf8.first == UInt8(ascii: "0")
        {
            throw handler.flaw("the port must be a decimal number or a name", at: node)
        }
        return container.node.resolved.port(node.text)
    }
}

extension SourceNode {
    /// The number of a port that is named in a container, or that is a number itself.
    func port(_ text: String?) -> UInt16? {
        guard let text else { return nil }
        if let number = UInt16(text) { return number > 0 ? number : nil }
        let named = value("ports")?.items?.first { $0.value("name")?.text == text }
        return named?.value("containerPort")?.text.flatMap { UInt16($0) }
    }
}

extension String {
    /// The name of a header (RFC 9110 section 5.6.2).
    fileprivate var isToken: Bool {
        !isEmpty && utf8.allSatisfy { $0.isLetter || $0.isDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }
}
