/// Writes metrics in Prometheus' text format (exposition format 0.0.4).
public struct PrometheusText {
    public private(set) var text = ""

    public init() {}

    /// A number that only grows.
    public mutating func counter(_ name: StaticString, _ help: StaticString, _ value: UInt64) {
        add("\(name)", "counter", "\(help)", "\(value)")
    }

    /// A number that goes up and down.
    public mutating func gauge(_ name: StaticString, _ help: StaticString, _ value: Int64) {
        add("\(name)", "gauge", "\(help)", "\(value)")
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ value: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(name) \(value)\n"
    }
}
