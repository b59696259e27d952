/// One row of the table: a measure, its unit and its goal.
public struct Measure: Sendable, Identifiable {
    public enum Topology: String, Sendable, CaseIterable {
        /// Plaintext client -> proxy -> mutual TLS -> proxy -> plaintext backend; both proxies are one process.
        case pair
        /// Mutual TLS client -> proxy -> plaintext backend.
        case inbound
    }

    public enum Better: String, Sendable { case higher, lower }

    public let id: String
    public let topology: Topology
    public let title: String
    public let unit: String
    /// Names of the values of a cell, such as `["p50", "p99"]`; empty for a single one.
    public let parts: [String]
    /// The index of the value that ratios and goals use.
    public let judged: Int
    public let better: Better
    public let places: Int
    public let goal: Goal?

    public init(
        _ id: String, _ topology: Topology, _ title: String, unit: String, parts: [String] = [], judged: Int = 0,
        better: Better = .higher, places: Int = 0, goal: Goal? = nil
    ) {
        precondition(parts.isEmpty ? judged == 0 : parts.indices.contains(judged), "judges a value that is not there")
        self.id = id
        self.topology = topology
        self.title = title
        self.unit = unit
        self.parts = parts
        self.judged = judged
        self.better = better
        self.places = places
        self.goal = goal
    }

    /// The row's title in table and chart: `echo 1 KiB x16, p50 / p99, us`.
    public var heading: String {
        parts.isEmpty ? "\(title), \(unit)" : "\(title), \(parts.joined(separator: " / ")), \(unit)"
    }
}

/// The goal of a row: its minimum and its aim.
public enum Goal: Sendable, Equatable {
    /// Postern's ratio to HAProxy; an upper bound for rows where lower is better.
    case ratio(Double, aim: Double?)
    /// The value itself, as an upper bound.
    case atMost(Double, aim: Double?)
}

/// Whether a goal was reached.
public enum Verdict: String, Sendable {
    case aimMet = "aim met"
    case met = "met"
    case notMet = "not met"
}
