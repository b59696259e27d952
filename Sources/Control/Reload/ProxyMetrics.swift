public import Telemetry

/// All metrics of the proxy.
public enum ProxyMetrics {
    public static let opened = MetricFamily.counter(
        "postern_connections_opened_total", "Connections accepted.", by: ["listener"])
    public static let active = MetricFamily.gauge(
        "postern_connections_active", "Connections open.", by: ["listener"])
    public static let closed = MetricFamily.counter(
        "postern_connections_closed_total", "Connections that have ended, by the access log's reason.",
        by: ["listener", "reason"])
    public static let passedThrough = MetricFamily.counter(
        "postern_connections_passed_through_total",
        "Connections relayed in plaintext, without TLS, because no route matched.")
    public static let looped = MetricFamily.counter(
        "postern_connections_looped_total", "Connections refused because they led back to this proxy.")
    public static let unauthenticated = MetricFamily.counter(
        "postern_connections_unauthenticated_total",
        "Connections admitted in plaintext, without identity, on permissive listeners.", by: ["listener", "route"])
    public static let refusals = MetricFamily.counter(
        "postern_refusals_total", "Connections refused for want of room: by which limit.", by: ["listener", "cause"])
    public static let connectionTimes = MetricFamily.histogram(
        "postern_connection_duration_seconds", "From a connection's accept to its end.")
    public static let bytes = MetricFamily.counter(
        "postern_bytes_total", "Bytes relayed, counted as connections end; direction is to_upstream or from_upstream.",
        by: ["listener", "route", "direction"])
    public static let handshakes = MetricFamily.counter(
        "postern_handshakes_total",
        "Handshakes of connections that have ended; kind is full or resumed, and code is why one failed.",
        by: ["listener", "kind", "result", "code"])
    public static let handshakeTimes = MetricFamily.histogram(
        "postern_handshake_duration_seconds", "Handshakes that succeeded.")
    public static let decisions = MetricFamily.counter(
        "postern_decisions_total",
        "Decisions of policies on connections that have ended; rule is empty if none matched.",
        by: ["listener", "route", "policy", "rule", "decision"])
    public static let endpoints = MetricFamily.gauge(
        "postern_endpoints", "Endpoints of a route, the addresses of names included.", by: ["listener", "route"])
    public static let endpointsEjected = MetricFamily.gauge(
        "postern_endpoints_ejected", "Endpoints of a route that a worker has taken out of service.",
        by: ["listener", "route"])
    public static let dials = MetricFamily.counter(
        "postern_dials_total",
        "Dials by their outcome; of handshake-failed ones the connect succeeded, and counts as well.", by: ["outcome"])
    public static let svidExpiry = MetricFamily.gauge(
        "postern_svid_not_after_timestamp_seconds", "Expiry of the proxy's own SVID; none without one.")
    public static let bundleExpiry = MetricFamily.gauge(
        "postern_bundle_not_after_timestamp_seconds",
        "Until when the longest-lived authority of a trust bundle is valid.",
        by: ["trust_domain"])
    public static let crlExpiry = MetricFamily.gauge(
        "postern_crl_next_update_timestamp_seconds",
        "When the next of the lists of revoked certificates becomes too old.")
    public static let reloads = MetricFamily.counter(
        "postern_reloads_total", "Changes of settings or identity applied.")
    public static let settingsFailures = MetricFamily.counter(
        "postern_settings_reload_failures_total", "Changes of the settings refused.")
    public static let identityFailures = MetricFamily.counter(
        "postern_identity_reload_failures_total", "Changes of the identity files refused.")
    public static let settingsSound = MetricFamily.gauge(
        "postern_settings_sound", "0 while the settings file is flawed and older settings are in use, else 1.")
    public static let identitySound = MetricFamily.gauge(
        "postern_identity_sound", "0 while an identity file is flawed and an older identity is in use, else 1.")
    public static let logDropped = MetricFamily.counter(
        "postern_access_log_dropped_total", "Access log records dropped because the log's reader stalled.")
    public static let build = MetricFamily.gauge(
        "postern_build_info", "Always 1.", by: ["version", "openssl", "event_loop"])
    public static let processCPU = MetricFamily.counter(
        "process_cpu_seconds_total", "CPU time of the process, of user and system.")
    public static let processMemory = MetricFamily.gauge(
        "process_resident_memory_bytes", "Resident memory of the process.")
    public static let processDescriptors = MetricFamily.gauge("process_open_fds", "Open descriptors of the process.")
    public static let processDescriptorLimit = MetricFamily.gauge(
        "process_max_fds", "The limit of open descriptors.")
    public static let processStart = MetricFamily.gauge(
        "process_start_time_seconds", "When the process started, in Unix seconds.")

    /// In the order of the exposition.
    public static let all = [
        opened, active, closed, passedThrough, looped, unauthenticated, refusals, connectionTimes, bytes, handshakes,
        handshakeTimes, decisions, endpoints, endpointsEjected, dials, svidExpiry, bundleExpiry, crlExpiry, reloads,
        settingsFailures, identityFailures, settingsSound, identitySound, logDropped, build, processCPU,
        processMemory, processDescriptors, processDescriptorLimit, processStart,
    ]
}
