import Settings

/// What lets a program of the pod undo the rules or pass the proxy by, and ports that the proxy takes.
enum ContainerWarnings {
    static func all(
        _ spec: Cursor, _ choices: PodChoices, lists: [String] = ["initContainers", "containers"]
    ) -> [SettingsFlaw] {
        var warnings: [SettingsFlaw] = []
        for list in lists {
            // Not behind an alias: thousands of pods could share a list.
            for container in spec.node.written(list)?.items ?? [] {
                let name = quoted(container.value("name")?.text ?? "")
                if choices.redirection != .none, let privilege = privilege(of: container) {
                    warnings.append(
                        spec.warning(
                            "\(name) has \(privilege.text), with which it can undo the rules or pass the proxy by",
                            at: privilege.node))
                }
                for port in container.value("ports")?.items ?? [] {
                    guard let number = port.value("containerPort"), number.text == Sidecar.adminPort else { continue }
                    warnings.append(
                        spec.warning(
                            "\(name) listens on port \(Sidecar.adminPort), which the proxy's admin endpoint takes",
                            at: number))
                }
            }
        }
        return warnings
    }

    private static func privilege(of container: SourceNode) -> (text: String, node: SourceNode)? {
        guard let context = container.value("securityContext") else { return nil }
        if let node = context.value("privileged"), node.text?.lowercased() == "true" {
            return ("`privileged: true`", node)
        }
        for node in context.value("capabilities")?.value("add")?.items ?? [] {
            guard let text = node.resolved.text else { continue }
            let capability = text.hasPrefix("CAP_") ? String(text.dropFirst(4)) : text
            if risky.contains(capability) { return ("the capability \(capability)", node) }
        }
        return nil
    }

    private static let risky: Set = ["ALL", "BPF", "NET_ADMIN", "SETUID", "SYS_ADMIN", "SYS_PTRACE"]
}
