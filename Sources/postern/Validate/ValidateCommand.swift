import ArgumentParser
import Commands
import Control
import Redirection
import Settings
import System
import Telemetry

struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Prove that the firewall's rules lead connections to the proxy, before it starts.",
        discussion: """
            It listens where the transparent listeners of the settings will, dials addresses of other hosts and of \
            this one, and looks at what comes: programs' connections must, the proxy's own must not. Run it in the \
            network namespace of the proxy, after the rules are there and before the proxy is. As root with \
            CAP_SETUID (and CAP_NET_ADMIN where the settings have a `mark`) it tries everything; as the proxy's user \
            it cannot be any other program, and what it cannot try is `untested`.
            Exit codes: 0 what could be tried is right, 1 it is not or nothing could be tried, 2 bad input.
            """)

    @OptionGroup var config: ConfigOption

    @Option(help: ArgumentHelp("The proxy's user, as `redirect` was told.", valueName: "user"))
    var user: String?

    @Option(help: ArgumentHelp("Try this address family only, as `redirect` was told.", valueName: "ipv4|ipv6"))
    var only: IPFamily?

    @Flag(help: "What could not be tried counts as wrong.")
    var strict = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        StopSignals.endProcess()
        let (settings, plan) = try RedirectionPlan.load(config.path, user: user, only: only)
        let results = RedirectionTrial(settings, plan).run()
        let isProven =
            !results.contains { $0.outcome.isFailure || strict && $0.outcome.isUntested }
            && results.contains { $0.outcome == .passed }
        Console.write(json ? Self.json(results, isProven) : Self.text(results, isProven))
        guard isProven else { throw ExitCode.refused }
    }

    private static func text(_ results: [RedirectionTrial.Result], _ isProven: Bool) -> String {
        let lines = results.map { result in
            switch result.outcome {
            case .passed: "passed: \(result.description)"
            case .failed(let reason): "FAILED: \(result.description): \(reason)"
            case .untested(let reason): "untested: \(result.description): \(reason)"
            }
        }
        let verdict =
            isProven
            ? "redirection works"
            : results.contains { $0.outcome.isFailure }
                ? "redirection does not work: install the rules with `postern redirect --apply`, with the same settings"
                    + " and options"
                : "redirection is not proven: see what is untested"
        return (lines + [verdict]).joined(separator: "\n")
    }

    private static func json(_ results: [RedirectionTrial.Result], _ isProven: Bool) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("ok", isProven)
        json.beginArray("legs")
        for result in results {
            json.beginObject()
            json.field("family", result.leg.family.rawValue)
            json.field("leg", result.description)
            switch result.outcome {
            case .passed: json.field("result", "passed")
            case .failed(let reason):
                json.field("result", "failed")
                json.field("reason", reason)
            case .untested(let reason):
                json.field("result", "untested")
                json.field("reason", reason)
            }
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.text
    }
}
