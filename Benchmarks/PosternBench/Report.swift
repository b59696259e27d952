/// Writes results as the table of a reader and as JSON.
struct Report {
    let results: [Result]
    let plan: Plan

    var table: String {
        var rows = [Self.header, Self.header.map { _ in "---" }] + results.map(row)
        if let base = results.first(where: { $0.kind == .haproxy }) {
            rows += results.filter { $0.kind != .haproxy }.map { ratios($0, to: base) }
        }
        return rows.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
            + "\n\nMedians of \(plan.rounds) rounds. TLS 1.3, AES-128-GCM, X25519, ECDSA P-256 leaf and intermediate, "
            + "both sides verified.\nCPU-seconds are the proxy's own user and system time. In rows with \"x\" more "
            + "than 1 is better for the proxy."
    }

    private static let header = [
        "proxy (pair)", "bulk up / down, Gbit per CPU-s", "1 KiB echo x16, ops per CPU-s (p50 / p99 us)",
        "1 KiB echo x1, ops per CPU-s", "open loop x16 at a fixed rate, p50 / p99 us",
        "new connections per CPU-s, full / resumed", "KB per idle pair", "RSS at rest (private), MB",
    ]

    private func row(_ result: Result) -> [String] {
        let memory = result.memory
        return [
            result.kind.rawValue,
            "\(gigabits(result, .up)) / \(gigabits(result, .down))",
            "\(perCPUSecond(result, .echo16)) (\(latencies(result, .echo16)))",
            perCPUSecond(result, .echo1),
            latencies(result, .open16),
            "\(perCPUSecond(result, .connect)) / \(perCPUSecond(result, .connectResuming))",
            memory.map { decimal($0.idlePairKiB, 1) } ?? "-",
            memory.map {
                "\(decimal(Double($0.restResidentKiB) / 1024, 1)) (\(decimal(Double($0.restAnonymousKiB) / 1024, 1)))"
            } ?? "-",
        ]
    }

    /// How many times better than `base`.
    private func ratios(_ result: Result, to base: Result) -> [String] {
        let faster = { (workload: Workload) in
            ratio(throughput(result, workload), throughput(base, workload))
        }
        let quicker = { (workload: Workload) in
            ratio(latency(base, workload, 0.5), latency(result, workload, 0.5)) + " / "
                + ratio(latency(base, workload, 0.99), latency(result, workload, 0.99))
        }
        let lighter = { (figure: (MemoryFigures) -> Double) in
            ratio(base.memory.map(figure) ?? 0, result.memory.map(figure) ?? 0)
        }
        return [
            "\(result.kind.rawValue) against haproxy",
            "\(faster(.up)) / \(faster(.down))", "\(faster(.echo16)) (\(quicker(.echo16)))", faster(.echo1),
            quicker(.open16), "\(faster(.connect)) / \(faster(.connectResuming))", lighter { $0.idlePairKiB },
            "\(lighter { Double($0.restResidentKiB) }) (\(lighter { Double($0.restAnonymousKiB) }))",
        ]
    }

    var json: String {
        let proxies = results.map { result in
            let workloads = Workload.allCases.compactMap { workload -> String? in
                guard let samples = result.samples[workload] else { return nil }
                let each = samples.map { sample in
                    """
                    {"units": \(sample.units), "cpuSeconds": \(sample.cpuSeconds), "wallSeconds": \(sample.wallSeconds)\
                    , "p50Us": \(sample.latencyMicroseconds(at: 0.5)), "p99Us": \(sample.latencyMicroseconds(at: 0.99))}
                    """
                }
                return """
                      "\(workload.rawValue)": {"unitsPerCpuSecond": \(throughput(result, workload)), \
                    "p50Us": \(latency(result, workload, 0.5)), "p99Us": \(latency(result, workload, 0.99)), \
                    "samples": [\(each.joined(separator: ", "))]}
                    """
            }
            let memory = result.memory.map {
                """
                {"restResidentKiB": \($0.restResidentKiB), "restAnonymousKiB": \($0.restAnonymousKiB), \
                "idlePairKiB": \($0.idlePairKiB)}
                """
            }
            return """
                  {"proxy": "\(result.kind.rawValue)", "memory": \(memory ?? "null"), "workloads": {
                \(workloads.joined(separator: ",\n"))}}
                """
        }
        return "{\"rounds\": \(plan.rounds), \"idleConnections\": \(plan.idleConnections), \"proxies\": [\n"
            + proxies.joined(separator: ",\n") + "\n]}\n"
    }
}

extension Report {
    private func throughput(_ result: Result, _ workload: Workload) -> Double {
        median((result.samples[workload] ?? []).map(\.unitsPerCPUSecond))
    }

    private func latency(_ result: Result, _ workload: Workload, _ share: Double) -> Double {
        median((result.samples[workload] ?? []).map { $0.latencyMicroseconds(at: share) })
    }

    private func gigabits(_ result: Result, _ workload: Workload) -> String {
        result.samples[workload] == nil ? "-" : decimal(throughput(result, workload) / 1e9, 2)
    }

    private func perCPUSecond(_ result: Result, _ workload: Workload) -> String {
        result.samples[workload] == nil ? "-" : decimal(throughput(result, workload), 0)
    }

    private func latencies(_ result: Result, _ workload: Workload) -> String {
        guard result.samples[workload] != nil else { return "-" }
        return "\(decimal(latency(result, workload, 0.5), 0)) / \(decimal(latency(result, workload, 0.99), 0))"
    }

    private func ratio(_ better: Double, _ base: Double) -> String {
        better > 0 && base > 0 ? "x\(decimal(better / base, 2))" : "-"
    }

    private func decimal(_ value: Double, _ places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((value * Double(scale)).rounded())
        guard places > 0 else { return "\(scaled)" }
        let fraction = String(abs(scaled) % scale)
        let sign = scaled < 0 ? "-" : ""
        return "\(sign)\(abs(scaled) / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
