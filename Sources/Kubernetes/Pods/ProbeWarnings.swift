import Settings

/// Probes of the application that the inbound listener will refuse, because the kubelet has no SVID.
enum ProbeWarnings {
    static func all(_ spec: Cursor, _ choices: PodChoices) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for list in ["initContainers", "containers"] {
            // Not behind an alias: thousands of pods could share a list.
            for container in spec.node.entries?.first(where: { $0.key.text == list })?.value.items ?? [] {
                for kind in ["startupProbe", "readinessProbe", "livenessProbe"] {
                    guard let probe = container.value(kind), let port = port(of: probe, in: container),
                        !choices.skipsInbound(port)
                    else { continue }
                    let name = container.value("name")?.text ?? ""
                    warnings.append(
                        SettingsFlaw(
                            .warning, at: spec.position(of: probe),
                            "the \(kind) of \(quoted(name)) asks port \(port) in plaintext, which the inbound listener "
                                + "refuses: name the port in \(quoted(PodAnnotation.skipInboundPorts.name)), "
                                + "or use an exec probe"))
                }
            }
        }
        return warnings
    }

    /// The number of the port that the kubelet asks; nil for exec probes, and for names that are not the container's.
    private static func port(of probe: SourceNode, in container: SourceNode) -> UInt16? {
        for kind in ["httpGet", "tcpSocket", "grpc"] {
            guard let text = probe.value(kind)?.value("port")?.text else { continue }
            if let number = UInt16(text) { return number }
            let named = container.value("ports")?.items?.first { $0.value("name")?.text == text }
            return named?.value("containerPort")?.text.flatMap { UInt16($0) }
        }
        return nil
    }
}
