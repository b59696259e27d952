import DataPlane
import Settings
import Telemetry

extension Proxy {
    /// The response to `/metrics`: Prometheus text (exposition format 0.0.4).
    var metrics: String {
        var text = PrometheusText()
        text.counter("postern_connections_accepted_total", "Connections accepted.", acceptedConnections)
        text.counter(
            "postern_connections_passed_through_total",
            "Connections relayed in plaintext, without TLS, because no route matched.", passedConnections)
        text.counter(
            "postern_connections_looped_total", "Connections refused because they led back to this proxy.", loops)
        text.counter(
            "postern_connections_unauthenticated_total",
            "Connections admitted in plaintext, without identity, on permissive listeners.", plaintextSamples)
        text.gauge("postern_connections_active", "Connections open.", Int64(openConnections))
        text.gauge(
            "postern_svid_not_after_seconds", "Expiry of the proxy's own SVID, in Unix seconds; 0 without one.",
            notAfter ?? 0)
        text.counter("postern_reloads_total", "Changes of settings or identity applied.", figures.reloads)
        text.counter(
            "postern_settings_reload_failures_total", "Changes of the settings refused.",
            figures.settingsFailures)
        text.counter(
            "postern_identity_reload_failures_total", "Changes of the identity files refused.",
            figures.identityFailures)
        text.gauge(
            "postern_settings_sound", "0 while the settings file is flawed and older settings are in use, else 1.",
            figures.settingsAreSound ? 1 : 0)
        text.gauge(
            "postern_identity_sound", "0 while an identity file is flawed and an older identity is in use, else 1.",
            figures.identityIsSound ? 1 : 0)
        text.counter(
            "postern_access_log_dropped_total",
            "Access log records dropped because the log's reader stalled.",
            UInt64(accessLog?.droppedCount ?? 0))
        addEndpointMetrics(to: &text)
        return text.text
    }

    /// One for each route of a permissive listener, 0 included: where it stays so, certificates may be required.
    private var plaintextSamples: [PrometheusText.Sample] {
        installer.state.settings.listeners.filter { $0.permissive != nil }.flatMap { listener in
            listener.routes.map { route in
                PrometheusText.Sample(
                    labels: [("listener", listener.name), ("route", route.name)],
                    value: installer.plaintextCounts[
                        PlaintextCounts.Place(listener: listener.name, route: route.name)])
            }
        }
    }
}
