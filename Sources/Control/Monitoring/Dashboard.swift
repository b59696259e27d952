import Telemetry

/// A dashboard of Grafana, made of ``ProxyMetrics``.
public enum Dashboard {
    /// A graph, or several lines in one.
    public struct Panel: Sendable {
        public let title: String
        /// Of Grafana: `s`, `Bps`, `ops` and the like.
        let unit: String
        public let queries: [Query]
    }

    public struct Query: Sendable {
        /// PromQL; `$job` and `$instance` are chosen in the dashboard.
        public let expression: String
        /// Of a line, with labels in double braces.
        let legend: String
    }

    public static let panels = [
        Panel(
            title: "Connections opened", unit: "ops",
            queries: [rate(ProxyMetrics.opened, by: "listener")]),
        Panel(
            title: "Connections open", unit: "short",
            queries: [
                Query(
                    expression: "sum by (listener) (\(ProxyMetrics.active.name){\(filter)})",
                    legend: "{{listener}}")
            ]),
        Panel(
            title: "Why connections end", unit: "ops", queries: [rate(ProxyMetrics.closed, by: "reason")]),
        Panel(
            title: "Bytes", unit: "Bps", queries: [rate(ProxyMetrics.bytes, by: "route, direction")]),
        Panel(
            title: "Decisions of policies", unit: "ops",
            queries: [rate(ProxyMetrics.decisions, by: "policy, rule, decision")]),
        Panel(
            title: "Handshakes that fail", unit: "ops",
            queries: [rate(ProxyMetrics.handshakes, by: "listener, code", where: "result=\"failed\"")]),
        Panel(
            title: "Handshakes, how long", unit: "s",
            queries: [0.5, 0.99].map { quantile($0, of: ProxyMetrics.handshakeTimes) }),
        Panel(
            title: "Connections, how long", unit: "s",
            queries: [0.5, 0.99].map { quantile($0, of: ProxyMetrics.connectionTimes) }),
        Panel(title: "Dials", unit: "ops", queries: [rate(ProxyMetrics.dials, by: "outcome")]),
        Panel(
            title: "Endpoints out of service", unit: "short",
            queries: [
                Query(
                    expression: "sum by (listener, route) (\(ProxyMetrics.endpointsEjected.name){\(filter)})",
                    legend: "{{listener}} {{route}}")
            ]),
        Panel(title: "Refused for want of room", unit: "ops", queries: [rate(ProxyMetrics.refusals, by: "cause")]),
        Panel(
            title: "Until the SVID expires", unit: "s",
            queries: [
                Query(
                    expression: "min by (instance) (\(ProxyMetrics.svidExpiry.name){\(filter)} - time())",
                    legend: "{{instance}}")
            ]),
        Panel(
            title: "CPU", unit: "percentunit",
            queries: [rate(ProxyMetrics.processCPU, by: "instance")]),
        Panel(
            title: "Memory", unit: "bytes",
            queries: [
                Query(
                    expression: "max by (instance) (\(ProxyMetrics.processMemory.name){\(filter)})",
                    legend: "{{instance}}")
            ]),
    ]

    /// For Grafana's import, 10 or later.
    public static var json: String {
        var json = JSONWriter()
        json.beginObject()
        json.field("title", "Postern")
        json.field("uid", "postern")
        json.field("schemaVersion", 39)
        json.field("refresh", "30s")
        json.beginObject("time")
        json.field("from", "now-1h")
        json.field("to", "now")
        json.endObject()
        json.beginObject("templating")
        json.beginArray("list")
        json.beginObject()
        json.field("name", "datasource")
        json.field("type", "datasource")
        json.field("query", "prometheus")
        json.endObject()
        variable("job", "label_values(\(ProxyMetrics.build.name), job)", to: &json)
        variable("instance", "label_values(\(ProxyMetrics.build.name){job=~\"$job\"}, instance)", to: &json)
        json.endArray()
        json.endObject()
        json.beginArray("panels")
        for (number, panel) in panels.enumerated() { write(panel, number, to: &json) }
        json.endArray()
        json.endObject()
        return json.text
    }

    private static let filter = "job=~\"$job\",instance=~\"$instance\""

    private static func rate(_ family: MetricFamily, by labels: String, where condition: String? = nil) -> Query {
        let conditions = condition.map { "\(filter),\($0)" } ?? filter
        let legend = labels.split(separator: ", ").map { "{{\($0)}}" }.joined(separator: " ")
        return Query(
            expression: "sum by (\(labels)) (rate(\(family.name){\(conditions)}[$__rate_interval]))", legend: legend)
    }

    private static func quantile(_ share: Double, of family: MetricFamily) -> Query {
        Query(
            expression: "histogram_quantile(\(share), sum by (le) "
                + "(rate(\(family.name)_bucket{\(filter)}[$__rate_interval])))",
            legend: "\(share)")
    }

    private static func variable(_ name: String, _ query: String, to json: inout JSONWriter) {
        json.beginObject()
        json.field("name", name)
        json.field("type", "query")
        json.field("query", query)
        json.field("multi", true)
        json.field("includeAll", true)
        json.field("allValue", ".*")
        json.field("refresh", 2)
        source(to: &json)
        json.endObject()
    }

    private static func source(to json: inout JSONWriter) {
        json.beginObject("datasource")
        json.field("type", "prometheus")
        json.field("uid", "${datasource}")
        json.endObject()
    }

    private static func write(_ panel: Panel, _ number: Int, to json: inout JSONWriter) {
        json.beginObject()
        json.field("id", number + 1)
        json.field("type", "timeseries")
        json.field("title", panel.title)
        source(to: &json)
        json.beginObject("gridPos")
        json.field("x", number % 2 * 12)
        json.field("y", number / 2 * 8)
        json.field("w", 12)
        json.field("h", 8)
        json.endObject()
        json.beginObject("fieldConfig")
        json.beginObject("defaults")
        json.field("unit", panel.unit)
        json.endObject()
        json.beginArray("overrides")
        json.endArray()
        json.endObject()
        json.beginArray("targets")
        for (index, query) in panel.queries.enumerated() {
            json.beginObject()
            json.field("refId", String(UnicodeScalar(UInt8(65 + index))))
            json.field("expr", query.expression)
            json.field("legendFormat", query.legend)
            source(to: &json)
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }
}
