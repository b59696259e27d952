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
            position of the setting that names it. Exit codes: 0 sound (warnings are allowed), 2 flawed.
            """)

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp(
            "The settings file (YAML), or - for standard input; may be given several times.", valueName: "file"))
    var paths: [String]

    @Flag(help: "Print the result and all flaws to standard output, one JSON object per file.")
    var json = false

    func run() throws {
        var isGood = true
        for path in paths {
            let checked = try Self.check(path).lookingUpNames()
            if json {
                Console.write(Self.json(checked, path))
            } else {
                Console.complain(checked.flaws)
                if let ready = checked.ready { Console.write(Self.summary(ready, path)) }
            }
            // As `run` would read it here.
            let flaws = checked.settings.map { EnvironmentFlaws($0).errors } ?? []
            for flaw in flaws { Console.complain("error: \(flaw)") }
            isGood = isGood && checked.ready != nil && flaws.isEmpty
        }
        guard isGood else { throw ExitCode.badInput }
    }

    private static func check(_ path: String) throws -> CheckedSettings {
        guard path == "-" else { return CheckedSettings.load(path: path, now: WallClock.seconds()) }
        guard let text = Console.readAll(bytesAtMost: CheckedSettings.bytesAtMost) else {
            throw BadInput("standard input cannot be read")
        }
        return CheckedSettings.check(text: text, as: "-", now: WallClock.seconds())
    }

    private static func summary(_ ready: CheckedSettings.Ready, _ path: String) -> String {
        var lines = ["\(path): ok", "  identity: \(identity(ready))"]
        for listener in ready.settings.listeners {
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

    private static func json(_ checked: CheckedSettings, _ path: String) -> String {
        var json = JSONWriter()
        json.beginObject()
        json.field("config", path)
        json.field("ok", checked.ready != nil)
        json.field("id", checked.ready?.material?.id.description)
        json.field("notAfter", checked.ready?.material.map { CivilTime.rfc3339(unixSeconds: $0.notAfter) })
        json.beginArray("flaws")
        for flaw in checked.flaws {
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
