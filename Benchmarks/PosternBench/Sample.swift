import Loopback

/// One measurement of one pair: what got through, and what it cost the proxy.
struct Sample: Sendable {
    var units: Double
    var cpuSeconds: Double
    var wallSeconds: Double
    /// Sorted.
    var latenciesNanoseconds: [UInt32] = []

    var unitsPerCPUSecond: Double { cpuSeconds > 0 ? units / cpuSeconds : 0 }
    var unitsPerSecond: Double { wallSeconds > 0 ? units / wallSeconds : 0 }

    /// Microseconds that the given shares of requests stayed below.
    func latencies(at shares: [Double]) -> [Double] { shares.map { latencyMicroseconds(at: $0) } }

    /// The latency that the given share of requests stayed below, in microseconds.
    func latencyMicroseconds(at share: Double) -> Double {
        guard !latenciesNanoseconds.isEmpty else { return 0 }
        let index = Int(Double(latenciesNanoseconds.count - 1) * share)
        return Double(latenciesNanoseconds[index]) / 1_000
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

    func sample(units: Double, latenciesNanoseconds: [UInt32] = []) -> Sample {
        let wall = (ContinuousClock.now - start).components
        return Sample(
            units: units, cpuSeconds: Double(figures.cpuNanoseconds - cpuNanoseconds) / 1e9,
            wallSeconds: Double(wall.seconds) + Double(wall.attoseconds) / 1e18,
            latenciesNanoseconds: latenciesNanoseconds.sorted())
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
