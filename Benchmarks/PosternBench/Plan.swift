import BenchFigures

/// How much is measured.
struct Plan: Sendable {
    var rounds: Int
    var windowSeconds: Double
    /// In ascending order; all are held by one process, one after the other.
    var idleConnections: [Int]
    /// The most that were asked for, whether they fit or not.
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

/// The names that `--only` knows rows by.
enum Selector: String, CaseIterable, Sendable {
    case up, down, echo16, echo1, open, connect, storm, idle, start, instructions
}
