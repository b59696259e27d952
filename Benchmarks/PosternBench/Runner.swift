import BenchFigures
import Glibc
import Loopback
import PosternTesting

/// Starts all proxies and measures them in interleaved rounds.
struct Runner {
    let plan: Plan
    let kinds: [ProxyKind]
    let site: Site

    /// Runs all selected measurements. A failed round is reported and left out; the others are kept.
    func measure() throws -> (figures: Figures, failures: [String]) {
        var figures = Figures(proxies: kinds.map(\.rawValue))
        var failures: [String] = []
        try measureRunning(into: &figures, &failures)
        for round in 0..<plan.rounds where plan.includes(.start) {
            say("start, round \(round + 1) of \(plan.rounds)")
            for kind in turns(round) { add(try AtRest.measure(kind, site: site, plan: plan), of: kind, to: &figures) }
        }
        for kind in kinds where plan.includes(.idle) {
            say("idle connections of \(kind.rawValue)")
            add(try Idle.measure(kind, site: site, plan: plan), of: kind, to: &figures)
        }
        if plan.includes(.instructions), kinds.contains(.posternEpoll) {
            say("instructions")
            add(try Instructions.measure(site: site, plan: plan), of: .posternEpoll, to: &figures)
        }
        return (figures, failures)
    }

    private func measureRunning(into figures: inout Figures, _ failures: inout [String]) throws {
        let steps = Measure.Topology.allCases.flatMap { topology in
            Workload.all(topology).filter { plan.includes($0.selector, topology) }.map { (topology, $0) }
        }
        guard !steps.isEmpty else { return }
        let pairs = try started(resumption: false, kinds)
        let needsResumption = steps.contains { $0.1 == .connectResuming }
        let resuming = needsResumption ? try started(resumption: true, kinds.filter(\.hasResumption)) : [:]
        let inbound = try inboundRun(steps.filter { $0.0 == .inbound }.map(\.1), pairs)
        let run = WorkloadRun(
            plan: plan, backend: site.backend,
            capacityPerSecond: steps.contains { $0.0 == .pair && $0.1.needsCapacity }
                ? try capacity(pairs[kinds[0]]) : 0)
        for round in 0..<plan.rounds {
            for (topology, workload) in steps {
                say("round \(round + 1) of \(plan.rounds), \(topology.rawValue): \(workload)")
                for kind in turns(round) {
                    guard let pair = workload == .connectResuming ? resuming[kind] : pairs[kind] else { continue }
                    do {
                        let readings =
                            topology == .pair ? try run.measure(workload, pair) : try inbound.measure(workload, pair)
                        add(readings, of: kind, to: &figures)
                    } catch {
                        failures.append(
                            "round \(round + 1) of \(topology.rawValue) \(workload) through \(pair.label): \(error)")
                        say("failed: \(failures[failures.count - 1])")
                    }
                }
            }
        }
    }

    /// Checks that the generator and each proxy negotiate the same as the pairs.
    private func inboundRun(_ workloads: [Workload], _ pairs: [ProxyKind: ProxyPair]) throws -> InboundRun {
        var run = InboundRun(plan: plan, site: site)
        guard !workloads.isEmpty else { return run }
        for kind in kinds {
            if let pair = pairs[kind] { try run.assertNegotiation(pair) }
        }
        if workloads.contains(where: \.needsCapacity), let base = pairs[kinds[0]] {
            run.capacityPerSecond = try run.capacity(of: base)
        }
        return run
    }

    /// Each round begins with a different proxy, so that none always runs at a quiet time.
    private func turns(_ round: Int) -> [ProxyKind] { kinds.indices.map { kinds[($0 + round) % kinds.count] } }

    private func add(_ readings: [Reading], of kind: ProxyKind, to figures: inout Figures) {
        for reading in readings { figures.add(reading.values, of: reading.measure, to: kind.rawValue) }
    }

    private func started(resumption: Bool, _ kinds: [ProxyKind]) throws -> [ProxyKind: ProxyPair] {
        var pairs: [ProxyKind: ProxyPair] = [:]
        for kind in kinds {
            let pair = try ProxyPair(kind, resumption: resumption, site: site, plan: plan)
            try pair.assertNegotiation()
            say("\(pair.label): \(ServerHello(resumed: resumption))")
            pairs[kind] = pair
        }
        return pairs
    }

    /// The first proxy's rate per second in a closed loop of 16 connections.
    private func capacity(_ pair: ProxyPair?) throws -> Int {
        guard let pair else { return 0 }
        let rates = try (0..<3).map { _ in
            try EchoLoad(pace: .closed, connections: 16, window: plan.window).measure(pair).unitsPerSecond
        }
        say("capacity of \(pair.label): \(decimalText(median(rates), places: 0)) messages a second")
        return Int(median(rates))
    }
}
