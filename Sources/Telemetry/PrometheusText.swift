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

    public private(set) var text = ""
    private let format: Format

    public init(_ format: Format = .prometheus) { self.format = format }

    /// All of it, with the end that the format wants.
    public var whole: String { format == .openMetrics ? text + "# EOF\n" : text }

    // MARK: Families

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

    /// - Parameters:
    ///   - bounds: in nanoseconds, as are the times.
    ///   - counts: cumulative, one for each bound, and one more.
    public mutating func write(
        _ family: MetricFamily, boundsNanoseconds bounds: [UInt64], counts: [UInt64], sumNanoseconds sum: UInt64
    ) {
        precondition(counts.count == bounds.count + 1 && family.kind == .histogram)
        head(family)
        for (bound, count) in zip(bounds, counts) {
            text += "\(family.name)_bucket{le=\"\(Self.seconds(bound))\"} \(count)\n"
        }
        let all = counts[bounds.count]
        text += "\(family.name)_bucket{le=\"+Inf\"} \(all)\n\(family.name)_sum \(Self.seconds(sum))\n"
        text += "\(family.name)_count \(all)\n"
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

    // MARK: Names given in place

    /// A number that only grows.
    public mutating func counter(_ name: StaticString, _ help: StaticString, _ value: UInt64) {
        add("\(name)", "counter", "\(help)", "\(value)")
    }

    /// One value of a number that has several.
    public struct Sample {
        let labels: [(name: String, value: String)]
        let value: UInt64

        public init(labels: [(name: String, value: String)], value: UInt64) {
            self.labels = labels
            self.value = value
        }
    }

    /// A number that only grows, once for each set of labels; nothing at all without any.
    public mutating func counter(_ name: StaticString, _ help: StaticString, _ samples: [Sample]) {
        add("\(name)", "counter", "\(help)", samples)
    }

    /// A number that goes up and down, once for each set of labels; nothing at all without any.
    public mutating func gauge(_ name: StaticString, _ help: StaticString, _ samples: [Sample]) {
        add("\(name)", "gauge", "\(help)", samples)
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ samples: [Sample]) {
        guard !samples.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
            text += "\(name){\(labels)} \(sample.value)\n"
        }
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

    /// How often a time was at most each bound; counts are cumulative, and the last one is of all.
    ///
    /// - Parameters:
    ///   - bounds: in nanoseconds, as are the times.
    ///   - counts: one for each bound, and one more.
    public mutating func histogram(
        _ name: StaticString, _ help: StaticString, boundsNanoseconds bounds: [UInt64], counts: [UInt64],
        sumNanoseconds sum: UInt64
    ) {
        precondition(counts.count == bounds.count + 1)
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        for (bound, count) in zip(bounds, counts) {
            text += "\(name)_bucket{le=\"\(Self.seconds(bound))\"} \(count)\n"
        }
        let all = counts[bounds.count]
        text += "\(name)_bucket{le=\"+Inf\"} \(all)\n\(name)_sum \(Self.seconds(sum))\n\(name)_count \(all)\n"
    }

    /// Without trailing zeros.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        var text = String(nanoseconds % 1_000_000_000 + 1_000_000_000).dropFirst()
        while text.last == "0" { text.removeLast() }
        return "\(nanoseconds / 1_000_000_000)" + (text.isEmpty ? "" : "." + text)
    }

    /// A number that goes up and down.
    public mutating func gauge(_ name: StaticString, _ help: StaticString, _ value: Int64) {
        add("\(name)", "gauge", "\(help)", "\(value)")
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ value: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(name) \(value)\n"
    }
}
