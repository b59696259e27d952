import BenchFigures

/// The workloads for running pairs, in the order of the table.
enum Workload: Hashable, Sendable {
    case up, down, echo16, echo1
    /// At a percentage of the base's capacity.
    case open(percent: Int)
    case connect, connectResuming
    case storm, openStorm(percent: Int)

    static let all: [Workload] = [
        .up, .down, .echo16, .echo1, .open(percent: 25), .open(percent: 50), .open(percent: 75), .connect,
        .connectResuming, .storm, .openStorm(percent: 50),
    ]

    /// The workloads for the inbound half alone: the client itself uses mTLS.
    static let inbound: [Workload] = [
        .up, .down, .echo16, .echo1, .open(percent: 50), .connect, .connectResuming,
    ]

    static func all(_ topology: Measure.Topology) -> [Workload] { topology == .pair ? all : inbound }

    var selector: Selector {
        switch self {
        case .up: .up
        case .down: .down
        case .echo16: .echo16
        case .echo1: .echo1
        case .open: .open
        case .connect, .connectResuming: .connect
        case .storm, .openStorm: .storm
        }
    }

    var needsCapacity: Bool {
        switch self {
        case .open, .openStorm: true
        default: false
        }
    }
}

/// The values of one row in one round.
typealias Reading = (measure: Measure, values: [Double])

/// Runs a workload on one pair. Percentages are of the capacity, a closed-loop rate.
struct WorkloadRun {
    let plan: Plan
    let backend: Backend
    let capacityPerSecond: Int

    func measure(_ workload: Workload, _ pair: ProxyPair) throws -> [Reading] {
        switch workload {
        case .up: return [(.up, [try bulk(.up, pair).unitsPerCPUSecond / 1e9])]
        case .down: return [(.down, [try bulk(.down, pair).unitsPerCPUSecond / 1e9])]
        case .echo16:
            let sample = try echo(.closed, 16).measure(pair)
            return [(.echo16, [sample.unitsPerCPUSecond]), (.echo16Latency, Array(sample.latencies.prefix(2)))]
        case .echo1:
            let sample = try echo(.closed, 1).measure(pair)
            return [(.echo1, [sample.unitsPerCPUSecond]), (.echo1Latency, Array(sample.latencies.prefix(2)))]
        case .open(let percent):
            let sample = try echo(pace(percent), 16).measure(pair)
            return [(.open(percent: percent, perSecond: rate(percent)), sample.latencies)]
        case .connect: return [(.connect, [try connect(pair)])]
        case .connectResuming: return [(.connectResuming, [try connect(pair)])]
        case .storm:
            let figures = try storm(.closed, pair)
            return [(.storm, figures.latencies), (.stormRatio, [figures.ratio])]
        case .openStorm(let percent):
            let figures = try storm(pace(percent), pair)
            return [
                (.openStorm(percent: percent), figures.latencies), (.openStormRatio(percent: percent), [figures.ratio]),
            ]
        }
    }

    private func rate(_ percent: Int) -> Int { shareOfRate(capacityPerSecond, percent: percent) }
    private func pace(_ percent: Int) -> EchoLoad.Pace { .open(perSecond: rate(percent)) }

    private func echo(_ pace: EchoLoad.Pace, _ connections: Int) -> EchoLoad {
        EchoLoad(pace: pace, connections: connections, window: plan.window)
    }

    private func bulk(_ direction: BulkLoad.Direction, _ pair: ProxyPair) throws -> Sample {
        try BulkLoad(direction: direction, connections: plan.bulkConnections, window: plan.window)
            .measure(pair, backend: backend)
    }

    private func connect(_ pair: ProxyPair) throws -> Double {
        try ConnectLoad(concurrency: 8, window: plan.window).measure(pair).unitsPerCPUSecond
    }

    /// Measures established connections without and with a storm, in direct succession.
    private func storm(_ pace: EchoLoad.Pace, _ pair: ProxyPair) throws -> (latencies: [Double], ratio: Double) {
        let calm = try echo(pace, 16).measure(pair).latencies
        let storm = HandshakeStorm(address: pair.address)
        let stormy = try echo(pace, 16).measure(pair, whenWarm: storm.begin)
        try storm.end()
        let latencies = Array(stormy.latencies.prefix(2))
        return (latencies, calm[1] > 0 ? latencies[1] / calm[1] : 0)
    }
}

/// Messages per second at a percentage of the capacity, rounded to hundreds.
func shareOfRate(_ capacityPerSecond: Int, percent: Int) -> Int { max(100, capacityPerSecond * percent / 10_000 * 100) }
