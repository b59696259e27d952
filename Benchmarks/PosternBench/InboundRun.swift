import BenchFigures
import Loopback
import PosternTesting

/// Loads the inbound half of a pair with `postern load`: the same mutual TLS client for every proxy.
struct InboundRun {
    let plan: Plan
    let site: Site
    var capacityPerSecond = 0

    func measure(_ workload: Workload, _ pair: ProxyPair) throws -> [Reading] {
        switch workload {
        case .up:
            let load = try generate(pair, ["bulk", "--direction", "up"] + many(plan.bulkConnections), .discard)
            return [(.inboundUp, [perCPUSecond(load, \.discardedBytes) * 8 / 1e9])]
        case .down:
            let load = try generate(pair, ["bulk", "--direction", "down"] + many(plan.bulkConnections), .source)
            return [(.inboundDown, [perCPUSecond(load, \.sourcedBytes) * 8 / 1e9])]
        case .echo16:
            let load = try generate(pair, ["echo"] + many(16), .echo)
            return [
                (.inboundEcho16, [perCPUSecond(load, \.echoedBytes) / Self.messageBytes]),
                (.inboundEcho16Latency, Array(try load.outcome.latencies(pair).prefix(2))),
            ]
        case .echo1:
            let load = try generate(pair, ["echo"] + many(1), .echo)
            return [
                (.inboundEcho1, [perCPUSecond(load, \.echoedBytes) / Self.messageBytes]),
                (.inboundEcho1Latency, Array(try load.outcome.latencies(pair).prefix(2))),
            ]
        case .open(let percent):
            let rate = shareOfRate(capacityPerSecond, percent: percent)
            let load = try generate(pair, ["echo", "--rate", "\(rate)"] + many(16), .echo)
            return [(.open(.inbound, percent: percent, perSecond: rate), try load.outcome.latencies(pair))]
        case .connect, .connectResuming:
            let resumes = workload == .connectResuming
            let load = try generate(
                pair, ["connect", "--message-bytes", "1"] + many(Self.concurrency) + (resumes ? ["--resume"] : []),
                .echo)
            try load.outcome.assertResumption(resumes, connections: Self.concurrency, pair)
            return [
                (resumes ? .inboundConnectResuming : .inboundConnect, [perCPUSecond(load, \.connections)])
            ]
        case .storm, .openStorm: return []
        }
    }

    /// A proxy's rate per second in a closed loop of 16 connections.
    func capacity(of pair: ProxyPair) throws -> Int {
        let rates = try (0..<3).map { _ in
            let load = try generate(pair, ["echo"] + many(16), .echo)
            return Double(load.after.echoedBytes - load.before.echoedBytes) / Self.messageBytes
                / load.sample.wallSeconds
        }
        say("capacity of \(pair.label), inbound: \(decimalText(median(rates), places: 0)) messages a second")
        return Int(median(rates))
    }

    /// Fails unless the proxy negotiates the same with the generator as with its other half.
    func assertNegotiation(_ pair: ProxyPair) throws {
        let seen = pair.tap.serverHellos.count
        _ = try generate(pair, ["connect", "--message-bytes", "1"], .echo, to: pair.tap.address)
        let expected = ServerHello(resumed: false)
        guard let hello = pair.tap.serverHellos.dropFirst(seen).last, hello == expected else {
            throw BenchFault.negotiated(
                "\(pair.label), inbound,", got: pair.tap.serverHellos.last?.description ?? "nothing",
                expected: "\(expected)")
        }
    }

    private struct Load {
        var before: Backend.Received
        var after: Backend.Received
        var sample: Sample
        var outcome: GeneratorOutcome
    }

    /// Runs the generator to its end; counts, between its marks, what the backend received and the proxy's CPU time.
    private func generate(
        _ pair: ProxyPair, _ words: [String], _ mode: Backend.Mode, to address: SocketAddress? = nil
    ) throws -> Load {
        var command = [site.posternPath, "load", words[0], "\(address ?? pair.ports.inbound)"] + words.dropFirst()
        command += ["--certificate", site.certificate(.client), "--private-key", site.privateKey(.client)]
        command += ["--trust-bundle", "\(Site.trustDomain)=\(site.bundle)"]
        command += ["--identity", "spiffe://\(Site.trustDomain)/server", "--prelude", mode.prelude]
        command += ["--warmup", "200ms", "--duration", "\(Int(plan.windowSeconds * 1_000))ms", "--marks", "--json"]
        let generator = try ChildProcess(command, core: plan.loadCore)
        let awaitMark = { (mark: String) in
            generator.standardError.awaitLine(within: .seconds(20)) { $0.contains(mark) ? true : nil } ?? false
        }
        guard awaitMark("measuring") else { throw failure(pair, generator) }
        let stopwatch = Stopwatch(pair)
        let before = site.backend.received
        guard awaitMark("measured") else { throw failure(pair, generator) }
        let after = site.backend.received
        let sample = stopwatch.sample(units: 0)
        guard generator.awaitExit(within: .seconds(20)) == .code(0),
            let outcome = GeneratorOutcome(parsing: generator.standardOutput.text)
        else { throw failure(pair, generator) }
        return Load(before: before, after: after, sample: sample, outcome: outcome)
    }

    private func failure(_ pair: ProxyPair, _ generator: ChildProcess) -> BenchFault {
        .generatorFailed(pair.label, says: generator.standardError.text + generator.standardOutput.text)
    }

    private func perCPUSecond(_ load: Load, _ counter: KeyPath<Backend.Received, Int>) -> Double {
        let units = load.after[keyPath: counter] - load.before[keyPath: counter]
        return load.sample.cpuSeconds > 0 ? Double(units) / load.sample.cpuSeconds : 0
    }

    private func many(_ count: Int) -> [String] { ["--connections", "\(count)"] }

    private static let messageBytes = 1_024.0
    private static let concurrency = 8
}

extension Backend.Mode {
    /// The first byte of a connection, as text.
    var prelude: String { String(UnicodeScalar(rawValue)) }
}
