import Loopback
import PosternTesting
import Telemetry

/// One measurement of one pair: its throughput, and the proxy's CPU time.
struct Sample: Sendable {
    var units: Double
    var cpuSeconds: Double
    var wallSeconds: Double
    var latency: HistogramSummary?

    var unitsPerCPUSecond: Double { cpuSeconds > 0 ? units / cpuSeconds : 0 }
    var unitsPerSecond: Double { wallSeconds > 0 ? units / wallSeconds : 0 }

    /// p50, p99 and p99.9, in microseconds.
    var latencies: [Double] {
        latency.map { [$0.p50, $0.p99, $0.p999].map { Double($0) / 1_000 } } ?? [0, 0, 0]
    }
}

/// Reads the proxy's CPU clock and the wall clock at both ends of a window.
struct Stopwatch {
    private let figures: ProcessFigures
    private let cpuNanoseconds: Int64
    private let start: ContinuousClock.Instant

    init(_ pair: ProxyPair) {
        figures = ProcessFigures(of: pair.process.identifier)
        cpuNanoseconds = figures.cpuNanoseconds
        start = .now
    }

    func sample(units: Double, latency: HistogramSummary? = nil) -> Sample {
        let wall = (ContinuousClock.now - start).components
        return Sample(
            units: units, cpuSeconds: Double(figures.cpuNanoseconds - cpuNanoseconds) / 1e9,
            wallSeconds: Double(wall.seconds) + Double(wall.attoseconds) / 1e18,
            latency: latency)
    }
}

/// Nanoseconds of the monotonic clock.
func nanosecondsNow() -> Int64 {
    let parts = (ContinuousClock.now - Epoch.instant).components
    return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
}

private enum Epoch {
    static let instant = ContinuousClock.now
}
