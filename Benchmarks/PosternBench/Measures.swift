import BenchFigures

extension Measure {
    static let up = bulk("up", .pair, goal: .ratio(1.5, aim: 2))
    static let down = bulk("down", .pair, goal: .ratio(1.5, aim: 2))
    static let echo16 = echo(16, .pair, goal: .ratio(1.4, aim: 1.8))
    static let echo16Latency = latency("echo16", .pair, "echo 1 KiB x16", goal: .ratio(1, aim: nil))
    static let echo1 = echo(1, .pair, goal: .ratio(1.15, aim: 1.5))
    static let echo1Latency = latency("echo1", .pair, "echo 1 KiB x1")
    static let connect = connect("full", .pair, goal: .ratio(1.7, aim: 2.5))
    static let connectResuming = connect("resumed", .pair, goal: .ratio(1.5, aim: 2.5))

    /// Latency counts from the due time, so that a stall is charged for every message it delayed.
    static func open(_ topology: Topology = .pair, percent: Int, perSecond: Int) -> Measure {
        Measure(
            "\(topology.rawValue)-open\(percent)", topology,
            "echo 1 KiB x16 at \(percent) % (\(decimalText(Double(perSecond), places: 0))/s)",
            unit: "us", parts: ["p50", "p99", "p99.9"], judged: 1, better: .lower)
    }

    static let storm = latency("storm", .pair, "echo x16 in a storm of full handshakes")
    static let stormRatio = Measure(
        "pair-storm-ratio", .pair, "p99 in the storm against without", unit: "times", better: .lower, places: 2,
        goal: .atMost(2, aim: nil))
    static func openStorm(percent: Int) -> Measure {
        latency("open-storm", .pair, "the same storm, echo at \(percent) %")
    }
    static func openStormRatio(percent: Int) -> Measure {
        Measure(
            "pair-open-storm-ratio", .pair, "p99 at \(percent) % in the storm against without", unit: "times",
            better: .lower, places: 2)
    }

    static func idle(_ count: Int) -> Measure {
        Measure(
            "pair-idle\(count)", .pair, "an idle pair, of \(decimalText(Double(count), places: 0))", unit: "KB",
            better: .lower, places: 1, goal: .ratio(0.75, aim: 0.4))
    }
    static let rest = Measure(
        "pair-rest", .pair, "resident at rest", unit: "MB", better: .lower, places: 1, goal: .atMost(16, aim: 11))
    static let restPrivate = Measure(
        "pair-rest-private", .pair, "private at rest", unit: "MB", better: .lower, places: 1, goal: .atMost(4, aim: 2))
    static let start = Measure(
        "pair-start", .pair, "start to first relayed byte", unit: "ms", better: .lower, places: 1)
    static let instructions = Measure(
        "pair-instructions", .pair, "instructions a 16 KiB record", unit: "count", parts: ["own code", "libc for it"],
        better: .lower, goal: .atMost(1_500, aim: 600))

    static let inboundUp = bulk("up", .inbound)
    static let inboundDown = bulk("down", .inbound)
    static let inboundEcho16 = echo(16, .inbound)
    static let inboundEcho16Latency = latency("echo16", .inbound, "echo 1 KiB x16")
    static let inboundEcho1 = echo(1, .inbound)
    static let inboundEcho1Latency = latency("echo1", .inbound, "echo 1 KiB x1")
    static let inboundConnect = connect("full", .inbound)
    static let inboundConnectResuming = connect("resumed", .inbound)

    private static func bulk(_ direction: String, _ topology: Topology, goal: Goal? = nil) -> Measure {
        Measure(
            "\(topology.rawValue)-\(direction)", topology, "bulk \(direction)", unit: "Gbit per CPU-s", places: 2,
            goal: goal)
    }

    private static func echo(_ connections: Int, _ topology: Topology, goal: Goal? = nil) -> Measure {
        Measure(
            "\(topology.rawValue)-echo\(connections)", topology, "echo 1 KiB x\(connections)", unit: "ops per CPU-s",
            goal: goal)
    }

    private static func latency(_ id: String, _ topology: Topology, _ title: String, goal: Goal? = nil) -> Measure {
        Measure(
            "\(topology.rawValue)-\(id)-latency", topology, title, unit: "us", parts: ["p50", "p99"], judged: 1,
            better: .lower, goal: goal)
    }

    private static func connect(_ kind: String, _ topology: Topology, goal: Goal? = nil) -> Measure {
        Measure(
            "\(topology.rawValue)-connect-\(kind)", topology, "new connections, \(kind)", unit: "per CPU-s", goal: goal)
    }
}
