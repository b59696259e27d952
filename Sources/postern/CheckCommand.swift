import ArgumentParser
import Commands
import Control
import Identity
import Settings
import SVID
import System
import Telemetry

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load everything as `run` would, without binding, and print every flaw.",
        discussion: """
            Flaws go to standard error as `file:line:column: error: ...`; a flaw in a certificate or key file has the \
            position of the setting that names it. Exit codes: 0 sound (warnings are allowed unless --strict), 2 flawed.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp(
            "The settings file (YAML), or - for standard input; may be given several times.", valueName: "file"))
    var paths: [String]

    @OptionGroup var guardrails: GuardrailOption

    @Flag(help: "Fail on warnings too.")
    var strict = false

    @Flag(help: "Check the settings alone: no certificate, key, log or port of this host is looked at.")
    var settingsOnly = false

    @Flag(help: "Print the result and all flaws to standard output, one JSON object per file.")
    var json = false

    func run() throws {
        var isGood = true
        for path in paths {
            let result = settingsOnly ? try settingsAlone(path) : try everything(path)
            if json {
                Console.write(Self.json(result, path))
            } else {
                Console.complain(result.flaws)
                if result.isSound { Console.write(result.summary) }
            }
            for flaw in result.environment { Console.complain("error: \(flaw)") }
            isGood = isGood && result.isSound && result.environment.isEmpty && !(strict && !result.flaws.isEmpty)
        }
        guard isGood else { throw ExitCode.badInput }
    }

    private struct Result {
        var isSound: Bool
        var flaws: [SettingsFlaw]
        /// What of the environment `run` would refuse here.
        var environment: [String] = []
        var summary = ""
        var id: String?
        var notAfter: String?
    }

    private func everything(_ path: String) throws -> Result {
        let now = WallClock.seconds()
        let checked =
            path == "-"
            ? CheckedSettings.check(text: try Self.standardInput(), as: "-", guardrails: guardrails.path, now: now)
            : CheckedSettings.load(path: path, guardrails: guardrails.path, now: now)
        let looked = checked.lookingUpNames()
        return Result(
            isSound: looked.ready != nil, flaws: looked.flaws,
            environment: looked.settings.map { EnvironmentFlaws($0).errors } ?? [],
            summary: looked.ready.map { Self.summary($0.settings, path, identity: Self.identity($0)) } ?? "",
            id: looked.ready?.material?.id.description,
            notAfter: looked.ready?.material.map { CivilTime.rfc3339(unixSeconds: $0.notAfter) })
    }

    private func settingsAlone(_ path: String) throws -> Result {
        let socket = WorkloadEnvironment.endpointSocket
        let read =
            path == "-"
            ? Settings.parse(text: try Self.standardInput(), file: "-", endpointSocket: socket)
            : Settings.load(path: path, endpointSocket: socket)
        let outcome = CheckedSettings.settingsAlone(read, guardrails: guardrails.path)
        return Result(
            isSound: outcome.settings != nil, flaws: outcome.flaws,
            summary: outcome.settings.map { Self.summary($0, path, identity: "not looked at") } ?? "")
    }

    private static func standardInput() throws -> [UInt8] {
        guard let text = Console.readAll(bytesAtMost: CheckedSettings.bytesAtMost) else {
            throw BadInput("standard input cannot be read")
        }
        return text
    }

    private static func summary(_ settings: Settings, _ path: String, identity: String) -> String {
        var lines = ["\(path): ok", "  identity: \(identity)"]
        for listener in settings.listeners {
            let routes = listener.routes.map(\.name).joined(separator: ", ")
            lines.append(
                "  listener: \(listener.name) (\(listener.mode.rawValue)) on \(listener.bind), routes: \(routes)")
        }
        return lines.joined(separator: "\n")
    }

    private static func identity(_ ready: CheckedSettings.Ready) -> String {
        if let material = ready.material {
            return "\(material.id), valid until \(CivilTime.rfc3339(unixSeconds: material.notAfter))"
        }
        guard case .workloadAPI(let workload) = ready.settings.identity else { return "none" }
        return "the identity from the Workload API at \(workload.address)"
    }

    private static func json(_ result: Result, _ path: String) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("config", path)
        json.field("ok", result.isSound)
        json.field("id", result.id)
        json.field("notAfter", result.notAfter)
        json.beginArray("flaws")
        for flaw in result.flaws {
            json.beginObject()
            json.field("file", flaw.position.file)
            json.field("line", flaw.position.line)
            json.field("column", flaw.position.column)
            json.field("severity", flaw.severity.rawValue)
            json.field("message", flaw.message)
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return json.text
    }
}
