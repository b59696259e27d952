/// One metric: declared once, and written, listed in the docs and tested from that.
public struct MetricFamily: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }

    public let name: String
    public let kind: Kind
    public let help: String
    /// Of each sample; their values come from the settings or from fixed sets.
    public let labels: [String]

    private init(_ kind: Kind, _ name: String, _ help: String, _ labels: [String]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }

    /// Only grows; its name ends in `_total`.
    public static func counter(_ name: String, _ help: String, by labels: [String] = []) -> MetricFamily {
        precondition(name.hasSuffix("_total"))
        return MetricFamily(.counter, name, help, labels)
    }

    public static func gauge(_ name: String, _ help: String, by labels: [String] = []) -> MetricFamily {
        MetricFamily(.gauge, name, help, labels)
    }

    /// Of seconds.
    public static func histogram(_ name: String, _ help: String) -> MetricFamily {
        MetricFamily(.histogram, name, help, [])
    }
}
