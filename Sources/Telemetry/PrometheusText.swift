/// Writes metrics in Prometheus' text format (exposition format 0.0.4).
public struct PrometheusText {
    public private(set) var text = ""

    public init() {}

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
