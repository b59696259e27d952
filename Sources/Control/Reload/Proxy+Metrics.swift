import DataPlane
import Telemetry

extension Proxy {
    /// What `/metrics` answers: Prometheus text (exposition format 0.0.4).
    var metrics: String {
        var text = PrometheusText()
        text.counter("postern_connections_accepted_total", "Connections accepted.", acceptedConnections)
        text.gauge("postern_connections_active", "Connections open.", Int64(openConnections))
        text.gauge(
            "postern_svid_not_after_seconds", "When the proxy's own SVID ends, in Unix seconds; 0 without one.",
            notAfter ?? 0)
        text.counter("postern_reloads_total", "Changes of settings or identity that were taken.", figures.reloads)
        text.counter(
            "postern_settings_reload_failures_total", "Changes of the settings that were refused.",
            figures.settingsFailures)
        text.counter(
            "postern_identity_reload_failures_total", "Changes of the identity's files that were refused.",
            figures.identityFailures)
        text.gauge(
            "postern_settings_sound", "1 unless the settings file has a flaw and older settings are in use.",
            figures.settingsAreSound ? 1 : 0)
        text.gauge(
            "postern_identity_sound", "1 unless the identity's files have a flaw and an older identity is in use.",
            figures.identityIsSound ? 1 : 0)
        text.counter(
            "postern_access_log_dropped_total",
            "Lines of the access log that were dropped because its reader stands still.",
            UInt64(accessLog?.droppedCount ?? 0))
        return text.text
    }
}
