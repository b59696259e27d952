import ArgumentParser
import Commands
import Control
import Settings
import System
import Telemetry

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Tell whether a proxy can run here, and what to do if not.",
        discussion: """
            Examines the kernel, io_uring, privileges, the firewall's tools, the clock, limits and the socket of the \
            Workload API; with --config also the settings, the certificate, and what the settings need. Run it as \
            the proxy's user, where the proxy is to run: in its container, or as its systemd unit.
            Exit codes: 0 it can (warnings are allowed), 1 it cannot.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings file (YAML) that the proxy is to run with.", valueName: "file"))
    var config: String?

    @Flag(help: "Print the findings as one JSON object.")
    var json = false

    func run() throws {
        let checked = config.map { CheckedSettings.load(path: $0, now: WallClock.seconds()) }
        let facts = HostFacts.read(firewall: Firewall.examine())
        let diagnosis = Diagnosis(
            facts, checked, socket: .attempt(checked), environment: EnvironmentFlaws(checked?.settings))
        Console.write(json ? Self.json(diagnosis) : Self.text(diagnosis))
        guard diagnosis.isSound else { throw ExitCode.failure }
    }

    private static func text(_ diagnosis: Diagnosis) -> String {
        let width = diagnosis.findings.map(\.subject.rawValue.utf8.count).max() ?? 0
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(0, width - text.utf8.count))
        }
        return diagnosis.findings.map { finding in
            let start = padded(finding.severity.rawValue, 9) + padded(finding.subject.rawValue, width + 2)
            guard let remedy = finding.remedy else { return start + finding.message }
            return "\(start)\(finding.message)\n\(padded("", width + 11))remedy: \(remedy)"
        }.joined(separator: "\n")
    }

    private static func json(_ diagnosis: Diagnosis) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("ok", diagnosis.isSound)
        json.beginArray("findings")
        for finding in diagnosis.findings {
            json.beginObject()
            json.field("subject", finding.subject.rawValue)
            json.field("severity", finding.severity.rawValue)
            json.field("message", finding.message)
            json.field("remedy", finding.remedy)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.text
    }
}
