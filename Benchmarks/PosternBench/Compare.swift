import ArgumentParser
import BenchFigures
import Glibc
import Loopback
import PosternTesting

/// Measures proxies side by side.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures Postern and its peers, on the same certificates and cores (the default).",
        discussion: """
            All proxies run on one core and the load on another, in interleaved rounds; the table shows medians. \
            Pair: plaintext client -> proxy -> mutual TLS -> proxy -> plaintext backend. Inbound: mutual TLS client -> \
            proxy -> plaintext backend. Table, JSON with every sample and a chart go to a folder named at the end.
            """)

    @Flag(help: "One short round without instruction counts; takes about a minute.")
    var quick = false

    @Option(help: "The number of interleaved rounds.")
    var rounds: Int?

    @Option(help: "The length of each measurement, in seconds.")
    var seconds: Double?

    @Option(help: "Proxies, comma-separated: haproxy, nginx, postern-io_uring, postern-epoll, postern.")
    var proxies = "haproxy,nginx,postern-io_uring,postern-epoll"

    @Option(help: "Topologies, comma-separated: pair, inbound.")
    var topologies = "pair,inbound"

    @Option(
        help: """
            Measure only these, separated by commas: \
            \(Selector.allCases.map(\.rawValue).joined(separator: ", ")).
            """)
    var only: String?

    @Option(help: "Numbers of idle pairs at which memory is measured, comma-separated.")
    var idle: String?

    @Option(help: "Concurrent bulk connections.")
    var bulkConnections = 4

    @Option(help: "The postern binary; next to this one by default.")
    var postern: String?

    @Option(help: "The folder for table, JSON and chart; by default a new one below the temporary folder.")
    var output: String?

    @Option(help: "The CPU core of the proxies.")
    var proxyCore = 0

    @Option(help: "The CPU core of clients and backend.")
    var loadCore = 1

    func run() throws {
        let start = ContinuousClock.now
        let kinds: [ProxyKind] = try listed(proxies, "--proxies")
        let plan = try plan()
        guard pinToCore(loadCore) else {
            throw ValidationError("there is no core \(loadCore): give --load-core and --proxy-core")
        }
        bePunctual()
        let folder = try OutputFolder(output)
        var conditions = Surroundings.conditions(plan: plan, kinds: kinds)
        let site = try Site(posternPath: postern ?? siblingPath("postern"))
        let (figures, failures) = try Runner(plan: plan, kinds: kinds, site: site).measure()
        if !failures.isEmpty {
            conditions.notes.append("Failed and left out: \(failures.joined(separator: "; ")).")
        }
        conditions.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        let table = FigureTable(figures, conditions)
        try folder.write(table.text + "\n", to: "figures.md")
        try folder.write(FigureJSON(figures, conditions).text, to: "figures.json")
        try folder.write(FigureChart(figures, conditions).svg, to: "figures.svg")
        print("\(table.text)\n\n\(table.verdict)\n")
        print("Took \(decimalText(conditions.elapsedSeconds, places: 0)) s. Table, JSON and chart: \(folder.path)")
        guard failures.isEmpty else { throw ExitCode.failure }
    }

    private func plan() throws -> Plan {
        let wanted = idle ?? (quick ? "200" : "2000,10000")
        let counts = try wanted.split(separator: ",").map { text in
            guard let count = Int(text), count > 0 else {
                throw ValidationError("--idle \(text): not a number above 0")
            }
            return count
        }
        let rounds = rounds ?? (quick ? 1 : 5)
        let seconds = seconds ?? (quick ? 0.25 : 0.6)
        guard rounds > 0, seconds >= 0.01, bulkConnections > 0 else {
            throw ValidationError("--rounds, --seconds and --bulk-connections must be above 0")
        }
        let fitting = idlePairsThatFit(counts)
        if fitting.last != counts.max() {
            say(
                "the descriptor limit allows \(fitting.last ?? 0) idle pairs at most: raise the hard limit (ulimit -Hn)"
            )
        }
        return Plan(
            rounds: rounds, windowSeconds: seconds, idleConnections: fitting, wantedIdleConnections: counts.max() ?? 0,
            bulkConnections: bulkConnections,
            proxyCore: proxyCore, loadCore: loadCore, topologies: Set(try listed(topologies, "--topologies")),
            selection: try selection())
    }

    /// A quick run skips valgrind.
    private func selection() throws -> Set<Selector>? {
        if let only { return Set(try listed(only, "--only")) }
        return quick ? Set(Selector.allCases).subtracting([.instructions]) : nil
    }

    private func listed<Name: RawRepresentable<String>>(_ text: String, _ option: String) throws -> [Name] {
        try text.split(separator: ",").map { word in
            guard let name = Name(rawValue: String(word)) else { throw ValidationError("\(option): no \(word)") }
            return name
        }
    }
}
