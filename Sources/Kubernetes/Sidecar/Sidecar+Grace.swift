import Settings

extension Sidecar {
    /// Of a drain that kubelet would end by SIGKILL, as far as the times are known here: those of the settings are in a
    /// ConfigMap.
    func graceWarning(_ spec: Cursor) throws(SettingsFlaw) -> SettingsFlaw? {
        let written = try spec.text("terminationGracePeriodSeconds")
        guard let seconds = written.isEmpty ? Self.graceSeconds : Int(written), seconds >= 0 else { return nil }
        let times: [(PodAnnotation, String?)] = [
            (.drainTimeout, choices.drainTimeout), (.drainDelay, drainDelay),
        ]
        for (annotation, text) in times {
            guard let text, let milliseconds = text.durationMilliseconds, milliseconds >= seconds * 1_000,
                milliseconds > 0
            else { continue }
            return spec.warning(
                "the proxy may drain for \(text) (\(quoted(annotation.name))), and `terminationGracePeriodSeconds` is "
                    + "\(seconds), of which the application takes its part: raise it, or shorten the drain",
                at: spec.node.value("terminationGracePeriodSeconds"))
        }
        return nil
    }

    /// Kubernetes' default.
    private static let graceSeconds = 30
}
