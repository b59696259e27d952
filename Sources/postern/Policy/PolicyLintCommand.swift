import ArgumentParser
import Commands
import Control
import Identity
import Settings
import Telemetry

struct PolicyLintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Find what the policies of settings cannot be meant to say.",
        discussion: """
            All that `check --settings-only` says, and rules that decide no request that there can be, also where only \
            several others together cover them. With --identities also rules that match nobody.
            Exit codes: 0 nothing found, 1 warnings, 2 the settings are flawed or cannot be read.
            """)

    @Argument(help: ArgumentHelp("Settings (YAML).", valueName: "file"))
    var files: [String]

    @OptionGroup var guardrails: GuardrailOption

    @Option(
        help: ArgumentHelp(
            "The identities that there are: a SPIFFE ID a line, or an access log; repeatable.", valueName: "file"))
    var identities: [String] = []

    @Option(help: "How to write what is found.")
    var format = LintFormat.text

    func run() throws {
        let known = identities.isEmpty ? nil : try knownIdentities()
        var findings: [PolicyLint.Finding] = []
        var isSound = true
        for file in files {
            let outcome = Settings.load(path: file, endpointSocket: WorkloadEnvironment.endpointSocket)
            let lint = PolicyLint(outcome, guardrails: guardrails.path, identities: known)
            findings += lint.findings
            isSound = isSound && lint.isSound
        }
        if format != .text || !findings.isEmpty {
            Console.write(format.write(findings, version: Postern.version))
        }
        guard isSound else { throw ExitCode.badInput }
        guard findings.isEmpty else { throw ExitCode.refused }
    }

    private func knownIdentities() throws -> [SPIFFEID] {
        var known: Set<SPIFFEID> = []
        for path in identities {
            var number = 0
            var flaw: String?
            try PolicyInput.lines(of: path) { line in
                number += 1
                let line = line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : line
                let text =
                    line.first == UInt8(ascii: "{")
                    ? JSONFields(line.span)?["peerId"] : String(validating: line, as: UTF8.self)
                guard let text, !text.isEmpty, !text.hasPrefix("#") else { return }
                guard let id = try? SPIFFEID(parsing: text) else {
                    flaw = flaw ?? "\(path):\(number): \"\(text.prefix(100))\" is no SPIFFE ID"
                    return
                }
                known.insert(id)
            }
            if let flaw { throw BadInput(flaw) }
        }
        return Array(known)
    }
}
