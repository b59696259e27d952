import BenchFigures

/// The extent of a run.
struct Plan: Sendable {
    var rounds: Int
    var windowSeconds: Double
    /// In ascending order; one process holds each number in turn.
    var idleConnections: [Int]
    /// The largest number requested, whether it fits or not.
    var wantedIdleConnections: Int
    var bulkConnections: Int
    var proxyCore: Int
    var loadCore: Int
    var topologies: Set<Measure.Topology>
    var selection: Set<Selector>?

    var window: Duration { .milliseconds(Int(windowSeconds * 1_000)) }

    func includes(_ selector: Selector, _ topology: Measure.Topology = .pair) -> Bool {
        topologies.contains(topology) && selection?.contains(selector) ?? true
    }
}

/// The row names for `--only`.
enum Selector: String, CaseIterable, Sendable {
    case up, down, echo16, echo1, open, connect, storm, idle, start, instructions
}
