/// The conditions of a measurement, without which its figures mean nothing.
public struct Conditions: Sendable {
    /// Processor and cores.
    public var machine: String
    /// Distribution and kernel.
    public var system: String
    /// Versions of the programs, OpenSSL first.
    public var versions: [String]
    /// The TLS parameters asserted for all proxies.
    public var negotiated: String
    public var rounds: Int
    public var windowSeconds: Double
    /// The command that reproduces these figures.
    public var command: String
    /// Notes that a reader needs for comparison.
    public var notes: [String] = []
    public var elapsedSeconds = 0.0

    public init(
        machine: String, system: String, versions: [String], negotiated: String, rounds: Int, windowSeconds: Double,
        command: String
    ) {
        self.machine = machine
        self.system = system
        self.versions = versions
        self.negotiated = negotiated
        self.rounds = rounds
        self.windowSeconds = windowSeconds
        self.command = command
    }

    /// One paragraph.
    public var summary: String {
        "From `\(command)` on \(machine); \(system); \(versions.joined(separator: ", ")). Medians of \(rounds) "
            + "interleaved round\(rounds == 1 ? "" : "s") of \(decimalText(windowSeconds, places: 2)) s. "
            + "\(negotiated), as asserted for each proxy."
    }
}
