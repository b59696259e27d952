import BenchFigures
import Loopback
import PosternTesting

/// Determines the machine, and the versions of the programs.
enum Surroundings {
    static func conditions(plan: Plan, kinds: [ProxyKind]) -> Conditions {
        var versions = [output(["openssl", "version"])]
        if kinds.contains(.haproxy) { versions.append(output(["haproxy", "-v"])) }
        if kinds.contains(.nginx) { versions.append(output(["nginx", "-v"])) }
        var conditions = Conditions(
            machine: machine, system: "\(distribution), kernel \(kernel)", versions: versions,
            negotiated: "TLS 1.3, AES-128-GCM, X25519, ECDSA P-256 leaf and intermediate, both sides verified",
            rounds: plan.rounds, windowSeconds: plan.windowSeconds, command: command)
        conditions.notes = notes(plan, kinds)
        return conditions
    }

    private static func notes(_ plan: Plan, _ kinds: [ProxyKind]) -> [String] {
        var notes = [
            "\"Per CPU-s\" is per second of the proxies' own user and system time. All proxies have one worker on one "
                + "core; load generator and backend share another. Rows at a percentage run in an open loop: the "
                + "percentage is of \(kinds[0].rawValue)'s throughput in a closed loop of 16 connections, the rate is "
                + "the same for all proxies, and latency counts from the due time of a message."
        ]
        if kinds.contains(.nginx) {
            notes.append(
                "nginx is measured without resumption only: its upstream side keeps one session per worker, whatever "
                    + "the configuration. Its memory includes master and worker.")
        }
        if kinds.contains(.posternEpoll), plan.includes(.instructions) {
            notes.append(
                "Instructions are those of the pair outside OpenSSL and the kernel, counted by valgrind, which does not "
                    + "support io_uring.")
        }
        if plan.includes(.idle), let most = plan.idleConnections.last, most < plan.wantedIdleConnections {
            notes.append(
                "An idle pair needs four descriptors of its process: this machine's hard limit allows "
                    + "\(decimalText(Double(most), places: 0)) of the "
                    + "\(decimalText(Double(plan.wantedIdleConnections), places: 0)) requested pairs.")
        }
        return notes
    }

    private static var machine: String {
        let cores = (ProcessFigures.read("/proc/cpuinfo") ?? "").split(separator: "\n").filter {
            $0.hasPrefix("processor")
        }
        return "\(value(of: "model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown processor"), "
            + "\(cores.count) cores"
    }

    private static var distribution: String {
        let name = value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=") ?? "unknown system"
        return String(name.drop { $0 == "\"" }.prefix { $0 != "\"" })
    }

    private static var kernel: String {
        let release = ProcessFigures.read("/proc/sys/kernel/osrelease") ?? ""
        return String(release.prefix { !$0.isNewline && $0 != "-" })
    }

    private static func value(of key: String, in file: String, separator: Character) -> String? {
        for line in (ProcessFigures.read(file) ?? "").split(separator: "\n") where line.hasPrefix(key) {
            let parts = line.split(separator: separator, maxSplits: 1)
            guard parts.count == 2 else { continue }
            return String(parts[1].drop { $0.isWhitespace })
        }
        return nil
    }

    /// A program's name and version, from its version output.
    private static func output(_ command: [String]) -> String {
        guard let process = try? ChildProcess(command) else { return "\(command[0]): unknown" }
        _ = process.awaitExit(within: .seconds(5))
        let lines = process.standardOutput.lines + process.standardError.lines
        let line = lines.first ?? ""
        if let slash = line.lastIndex(of: "/"), line.hasPrefix("nginx") { return "nginx \(line[slash...].dropFirst())" }
        let words = line.split(separator: " ").filter { $0 != "version" }
        return words.prefix(2).map { $0.prefix { $0 != "-" } }.joined(separator: " ")
    }

    /// The command as a user types it, without the script's additions.
    private static var command: String {
        var words = ["scripts/bench"]
        var rest = CommandLine.arguments.dropFirst()
        while let word = rest.popFirst() {
            if word == "--postern" || word == "--output" { _ = rest.popFirst() } else { words.append(word) }
        }
        return words.joined(separator: " ")
    }
}
