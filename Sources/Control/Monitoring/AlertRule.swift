import Telemetry

/// A condition of Prometheus under which somebody should look.
public struct AlertRule: Sendable {
    public enum Severity: String, Sendable {
        /// Connections fail, or soon will.
        case critical
        /// It can wait for the morning.
        case warning
    }

    public let name: String
    /// PromQL over ``ProxyMetrics``.
    public let expression: String
    /// For how long it must hold, such as `5m`.
    public let duration: String
    public let severity: Severity
    /// Each is about one proxy.
    public let summary: String
    /// What to do.
    public let remedy: String

    public static let all = [
        AlertRule(
            name: "PosternSVIDExpires", expression: "\(ProxyMetrics.svidExpiry.name) - time() < 900", duration: "1m",
            severity: .critical, summary: "The SVID expires within 15 minutes, and nobody has renewed it",
            remedy: "Look at what issues it, and at /readyz of the proxy."),
        AlertRule(
            name: "PosternBundleExpires",
            expression: "\(ProxyMetrics.bundleExpiry.name) - time() < 7 * 86400", duration: "1h", severity: .warning,
            summary: "All authorities of the trust domain {{ $labels.trust_domain }} expire within a week",
            remedy: "Add the next authority to the trust bundle before that."),
        AlertRule(
            name: "PosternCRLStale", expression: "\(ProxyMetrics.crlExpiry.name) - time() < 3600", duration: "5m",
            severity: .warning, summary: "A list of revoked certificates becomes too old within an hour",
            remedy: "Publish the next one. With revocation: required peers are refused once it is too old."),
        AlertRule(
            name: "PosternSettingsRefused", expression: "\(ProxyMetrics.settingsSound.name) == 0", duration: "5m",
            severity: .warning, summary: "The settings file is flawed, and older settings are in use",
            remedy: "The log of the proxy has file, line and remedy; so has `postern check`."),
        AlertRule(
            name: "PosternIdentityRefused", expression: "\(ProxyMetrics.identitySound.name) == 0", duration: "5m",
            severity: .critical, summary: "An identity file is flawed, and an older identity is in use",
            remedy: "The log of the proxy says why. Connections fail once the old SVID has expired."),
        AlertRule(
            name: "PosternHandshakesFail",
            expression: "sum by (instance, listener) (rate(\(ProxyMetrics.handshakes.name){result=\"failed\"}[10m]))"
                + " / sum by (instance, listener) (rate(\(ProxyMetrics.handshakes.name)[10m])) > 0.1",
            duration: "10m", severity: .warning,
            summary: "More than a tenth of the handshakes of the listener {{ $labels.listener }} fail",
            remedy: "The label code of \(ProxyMetrics.handshakes.name) and the access log say why."),
        AlertRule(
            name: "PosternRefusesForWantOfRoom",
            expression: "sum by (instance, listener, cause) (increase(\(ProxyMetrics.refusals.name)[5m])) > 0",
            duration: "1m", severity: .critical,
            summary: "The listener {{ $labels.listener }} refuses connections: {{ $labels.cause }}",
            remedy: "Raise the limit, add a proxy, or look for the client that opens so many."),
        AlertRule(
            name: "PosternNoEndpoint",
            expression: "\(ProxyMetrics.endpointsEjected.name) >= \(ProxyMetrics.endpoints.name)"
                + " and \(ProxyMetrics.endpoints.name) > 0",
            duration: "1m", severity: .critical,
            summary: "All endpoints of the route {{ $labels.route }} are out of service",
            remedy: "`/readyz?verbose` says which, and why."),
        AlertRule(
            name: "PosternLoop", expression: "increase(\(ProxyMetrics.looped.name)[10m]) > 0", duration: "0m",
            severity: .warning, summary: "Connections lead back to the proxy",
            remedy: "Firewall rules or an upstream point at the proxy itself: `postern redirect --print`."),
        AlertRule(
            name: "PosternLogDropped", expression: "increase(\(ProxyMetrics.logDropped.name)[10m]) > 0",
            duration: "0m", severity: .warning, summary: "The access log lost records",
            remedy: "Its reader or its disk is too slow."),
    ]

    /// A file of rules for Prometheus.
    public static var file: String {
        var lines = ["groups:", "  - name: postern", "    rules:"]
        for rule in all {
            lines += [
                "      - alert: \(rule.name)", "        expr: \(quoted(rule.expression))",
                "        for: \(rule.duration)", "        labels: {severity: \(rule.severity.rawValue)}",
                "        annotations:", "          summary: \(quoted(rule.summary))",
                "          description: \(quoted(rule.remedy))",
            ]
        }
        return lines.joined(separator: "\n")
    }

    /// As YAML takes it as it is.
    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
