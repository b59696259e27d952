import ArgumentParser
import Commands
import Control
import Policy
import PolicyAnalysis
import Settings
import Telemetry

struct PolicyDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Print which requests a change of the policies treats otherwise.",
        discussion: """
            Computed over all requests that there can be, for each route of an inbound listener; nothing is sampled. \
            For each change there is one example, which `postern explain` explains. With --callers also who of an \
            access log would be treated otherwise. No certificate or key is looked at.
            Exit codes: 0 no request is treated otherwise, 1 some are, 2 bad input.
            """)

    @Argument(help: ArgumentHelp("The settings before.", valueName: "old"))
    var old: String

    @Argument(help: ArgumentHelp("The settings after.", valueName: "new"))
    var new: String

    @Option(help: ArgumentHelp("An access log, whose callers are asked about; repeatable.", valueName: "file"))
    var callers: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        let before = try PolicyInput.settings(old)
        let after = try PolicyInput.settings(new)
        let report: PolicyDiff
        do throws(WorkLimitReached) {
            report = try PolicyDiff(from: before, to: after)
        } catch {
            throw BadInput("\(error)")
        }
        var census = CallerCensus(from: before, to: after)
        for path in callers { try PolicyInput.lines(of: path) { census.take($0) } }
        Console.write(json ? report.json(census, hasCallers: !callers.isEmpty) : report.text)
        if !json, !callers.isEmpty { Console.write(census.text) }
        guard report.isEmpty else { throw ExitCode.refused }
    }
}
