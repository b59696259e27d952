extension SourceNode {
    /// The probes of a pod by their paths at the admin endpoint, without those behind aliases, which are not rewritten.
    var probes: [(path: String, probe: SourceNode)] {
        var found: [(path: String, probe: SourceNode)] = []
        for list in ["initContainers", "containers"] {
            for container in written("spec")?.written(list)?.items ?? [] {
                guard let name = container.value("name")?.text else { continue }
                for kind in ProbeKind.allCases {
                    guard let probe = container.written(kind.rawValue) else { continue }
                    found.append((ApplicationProbe.path(container: name, kind), probe))
                }
            }
        }
        return found
    }

    /// The handlers of a pod's probes, by their paths.
    var probeHandlers: [String: Entry] {
        var handlers: [String: Entry] = [:]
        for (path, probe) in probes {
            handlers[path] = probe.entries?.first { $0.key.text.map(ProbeKind.handlers.contains) ?? false }
        }
        return handlers
    }
}
