/// Writes metrics in Prometheus' text format (exposition format 0.0.4), or as OpenMetrics 1.0.
public struct PrometheusText {
    public enum Format: Sendable {
        case prometheus, openMetrics

        /// The value of Content-Type.
        public var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// What a client wants that sends this Accept field: OpenMetrics if it names that.
        public init(accepting accept: String?) {
            self = accept?.lowercased().contains("application/openmetrics-text") == true ? .openMetrics : .prometheus
        }
    }

    private var text = ""
    private let format: Format

    public init(_ format: Format = .prometheus) { self.format = format }

    /// All of it, with the end that the format wants.
    public var whole: String { format == .openMetrics ? text + "# EOF\n" : text }

    /// One sample for each set of values of the family's labels, in their order; nothing at all without any.
    public mutating func write(_ family: MetricFamily, _ samples: some Sequence<(labels: [String], value: UInt64)>) {
        write(family, samples.lazy.map { (labels: $0.labels, text: "\($0.value)") })
    }

    public mutating func write(_ family: MetricFamily, _ value: some FixedWidthInteger) {
        write(family, CollectionOfOne((labels: [String](), text: "\(value)")))
    }

    /// Seconds as a decimal number.
    public mutating func write(_ family: MetricFamily, seconds nanoseconds: UInt64) {
        write(family, CollectionOfOne((labels: [String](), text: Self.seconds(nanoseconds))))
    }

    public mutating func write(_ family: MetricFamily, _ times: TimeBuckets) {
        precondition(family.kind == .histogram)
        head(family)
        let counts = times.cumulative
        for (bound, count) in zip(times.bounds, counts) {
            text += "\(family.name)_bucket{le=\"\(Self.seconds(bound))\"} \(count)\n"
        }
        let all = counts[times.bounds.count]
        text += "\(family.name)_bucket{le=\"+Inf\"} \(all)\n"
        text += "\(family.name)_sum \(Self.seconds(times.sumNanoseconds))\n\(family.name)_count \(all)\n"
    }

    private mutating func write(_ family: MetricFamily, _ samples: some Sequence<(labels: [String], text: String)>) {
        var hasHead = false
        for sample in samples {
            if !hasHead { head(family) }
            hasHead = true
            precondition(sample.labels.count == family.labels.count)
            let labels = zip(family.labels, sample.labels).map { "\($0)=\"\(Self.escaped($1))\"" }
            text += family.name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(sample.text)\n"
        }
    }

    private mutating func head(_ family: MetricFamily) {
        // In OpenMetrics the suffix belongs to the sample.
        let isCounter = format == .openMetrics && family.kind == .counter
        let name = isCounter ? String(family.name.dropLast("_total".count)) : family.name
        text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n"
    }

    private static func escaped(_ value: String) -> String {
        var escaped = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// Without trailing zeros.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        var text = String(nanoseconds % 1_000_000_000 + 1_000_000_000).dropFirst()
        while text.last == "0" { text.removeLast() }
        return "\(nanoseconds / 1_000_000_000)" + (text.isEmpty ? "" : "." + text)
    }
}
