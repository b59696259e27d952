import ArgumentParser
import Glibc
import Loopback

/// Measures pairs of proxies side by side: plaintext client -> proxy -> mutual TLS -> proxy -> plaintext backend.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures Postern and its peers as pairs, on the same certificates and cores (the default).",
        discussion: """
            All proxies run on one core and the load on another, in interleaved rounds. "Per CPU-second" is the \
            proxies' own user and system time, so the figures hold when the load side is the bottleneck.
            """)

    @Flag(help: "Short rounds: about a minute, for a first look.")
    var quick = false

    @Option(help: "Interleaved rounds; the table shows medians.")
    var rounds: Int?

    @Option(help: "Seconds of each measurement.")
    var seconds: Double?

    @Option(help: "Proxies, separated by commas: haproxy, nginx, postern, postern-epoll, postern-io_uring.")
    var proxies = "haproxy,postern"

    @Option(help: "The postern binary; next to this one by default.")
    var postern: String?

    @Option(help: "Idle pairs held while memory is read.")
    var idle: Int?

    @Option(help: "Connections that carry bulk data at once.")
    var bulkConnections = 4

    @Option(help: "Requests a second of the open-loop latency row.")
    var openRate = 4_000

    @Option(help: "Measure only these, separated by commas: up, down, echo16, echo1, open16, connect, memory.")
    var only: String?

    @Option(help: "Core of the proxies.")
    var proxyCore = 0

    @Option(help: "Core of clients and backend.")
    var loadCore = 1

    @Option(help: "Also write every sample and median to this file, as JSON.")
    var json: String?

    func run() throws {
        let plan = Plan(
            rounds: rounds ?? (quick ? 3 : 5),
            window: .milliseconds(Int((seconds ?? (quick ? 0.6 : 2)) * 1_000)),
            idleConnections: idle ?? (quick ? 500 : 2_000), bulkConnections: bulkConnections, openRate: openRate,
            proxyCore: proxyCore, selection: only.map { Set($0.split(separator: ",").map(String.init)) })
        guard pinToCore(loadCore) else {
            throw ValidationError("core \(loadCore) is not there: give --load-core and --proxy-core")
        }
        bePunctual()
        let kinds = try proxies.split(separator: ",").map { name in
            guard let kind = ProxyKind(rawValue: String(name)) else { throw ValidationError("no proxy \(name)") }
            return kind
        }
        let site = try Site(posternPath: postern ?? siblingPath("postern"))
        let results = try Runner(plan: plan, kinds: kinds, site: site).measure()
        print(Report(results: results, plan: plan).table)
        if let json { try writeReport(Report(results: results, plan: plan).json, to: json) }
    }

    private func writeReport(_ text: String, to path: String) throws {
        guard let file = unsafe fopen(path, "w") else { throw ValidationError("cannot write \(path): errno \(errno)") }
        // The stream is open until `fclose`, and the text ends with a zero byte.
        unsafe fputs(text, file)
        guard unsafe fclose(file) == 0 else { throw ValidationError("cannot write \(path): errno \(errno)") }
    }
}
