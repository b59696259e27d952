import Settings

/// Hooks of the application that the inbound listener will refuse, because the kubelet has no SVID.
enum LifecycleWarnings {
    static func all(_ container: Cursor, _ choices: PodChoices) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for hook in ["postStart", "preStop"] {
            guard let action = container.node.value("lifecycle")?.value(hook) else { continue }
            for name in ["httpGet", "tcpSocket"] {
                guard let handler = action.value(name), handler.value("host")?.text?.isEmpty ?? true,
                    let port = handler.value("port")?.text,
                    container.node.resolved.port(port).map(choices.skipsInbound) != true
                else { continue }
                warnings.append(
                    container.warning(
                        "the \(hook) hook of \(quoted(container.node.value("name")?.text ?? "")) calls port "
                            + "\(quoted(port)) in plaintext, which the inbound listener refuses: name the port in "
                            + "\(quoted(PodAnnotation.skipInboundPorts.name)), or use an exec hook", at: handler))
            }
        }
        return warnings
    }
}
