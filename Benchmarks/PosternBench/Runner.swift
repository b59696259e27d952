import Glibc
import Loopback

/// What is measured of each pair, in the order of the table.
enum Workload: String, CaseIterable, Sendable {
    case up, down, echo16, echo1, open16, connect, connectResuming

    /// The name that `--only` knows it by.
    var selector: String { self == .connectResuming ? "connect" : rawValue }
}

/// Everything that was measured of one proxy.
struct Result {
    let kind: ProxyKind
    var memory: MemoryFigures?
    var samples: [Workload: [Sample]] = [:]
}

/// Starts all pairs and measures them in turn, round after round.
struct Runner {
    let plan: Plan
    let kinds: [ProxyKind]
    let site: Site

    func measure() throws -> [Result] {
        var results = kinds.map { Result(kind: $0) }
        if plan.includes("memory") {
            for index in kinds.indices {
                say("memory of \(kinds[index].rawValue)")
                results[index].memory = try MemoryFigures.measure(kinds[index], site: site, plan: plan)
            }
        }
        let pairs = try kinds.map { try started($0, resumption: false) }
        let resuming = try kinds.map {
            $0.hasResumption && plan.includes("connect") ? try started($0, resumption: true) : nil
        }
        for round in 0..<plan.rounds {
            for workload in Workload.allCases where plan.includes(workload.selector) {
                say("round \(round + 1) of \(plan.rounds): \(workload.rawValue)")
                // Each round begins with another proxy, so that none always has the quiet moment.
                for turn in kinds.indices {
                    let index = (turn + round) % kinds.count
                    guard let pair = workload == .connectResuming ? resuming[index] : pairs[index] else { continue }
                    results[index].samples[workload, default: []].append(try measure(workload, pair))
                }
            }
        }
        return results
    }

    private func started(_ kind: ProxyKind, resumption: Bool) throws -> ProxyPair {
        let pair = try ProxyPair(kind, resumption: resumption, site: site, plan: plan)
        try pair.assertNegotiation()
        say("\(pair.label): \(ServerHello(resumed: resumption))")
        return pair
    }

    private func measure(_ workload: Workload, _ pair: ProxyPair) throws -> Sample {
        do {
            return switch workload {
            case .up: try bulk(.up, pair)
            case .down: try bulk(.down, pair)
            case .echo16: try EchoLoad(pace: .closed, connections: 16, window: plan.window).measure(pair)
            case .echo1: try EchoLoad(pace: .closed, connections: 1, window: plan.window).measure(pair)
            case .open16:
                try EchoLoad(pace: .open(perSecond: plan.openRate), connections: 16, window: plan.window).measure(pair)
            case .connect, .connectResuming: try ConnectLoad(concurrency: 8, window: plan.window).measure(pair)
            }
        } catch {
            throw BenchFault.loadFailed("\(workload.rawValue) through \(pair.label)", error)
        }
    }

    private func bulk(_ direction: BulkLoad.Direction, _ pair: ProxyPair) throws -> Sample {
        try BulkLoad(direction: direction, connections: plan.bulkConnections, window: plan.window)
            .measure(pair, backend: site.backend)
    }
}
