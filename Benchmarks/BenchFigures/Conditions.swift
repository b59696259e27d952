/// Under what conditions figures were taken: without them, they say nothing.
public struct Conditions: Sendable {
    /// Processor and cores.
    public var machine: String
    /// Distribution and kernel.
    public var system: String
    /// Versions of what was run, OpenSSL first.
    public var versions: [String]
    /// What all proxies agreed on, as it was asserted.
    public var negotiated: String
    public var rounds: Int
    public var windowSeconds: Double
    /// The command that gives these figures again.
    public var command: String
    /// What a reader must know to compare.
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
