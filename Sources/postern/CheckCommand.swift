import ArgumentParser
import Control
import Identity
import Settings
import TLS
import Telemetry

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Load everything as `run` would, bind nothing, and print every flaw.",
        discussion: """
            Flaws go to standard error as `file:line:column: error: ...`; a flaw of a certificate or key file points at \
            the setting that names it. Exit codes: 0 good (warnings are allowed), 2 not.
            """)

    @OptionGroup var config: ConfigOption

    @Flag(help: "Print the result and all flaws as one JSON object to standard output.")
    var json = false

    func run() throws {
        let checked = CheckedSettings.load(path: config.path, now: Console.now())
        if json {
            Console.write(Self.json(checked))
        } else {
            Console.complain(checked.flaws)
            if let ready = checked.ready { Console.write(summary(ready)) }
        }
        guard checked.ready != nil else { throw ExitCode.badInput }
    }

    private func summary(_ ready: CheckedSettings.Ready) -> String {
        var lines = ["\(config.path): ok", "  identity: \(Self.identity(ready))"]
        for listener in ready.settings.listeners {
            let routes = listener.routes.map(\.name).joined(separator: ", ")
            lines.append(
                "  listener: \(listener.name) (\(listener.mode.rawValue)) on \(listener.bind.value), routes: \(routes)")
        }
        return lines.joined(separator: "\n")
    }

    private static func identity(_ ready: CheckedSettings.Ready) -> String {
        if let material = ready.material {
            return "\(material.id), valid until \(CivilTime.rfc3339(unixSeconds: material.notAfter))"
        }
        guard case .workloadAPI(let workload) = ready.settings.identity else { return "none" }
        return "what the Workload API at \(workload.address.value) hands out"
    }

    private static func json(_ checked: CheckedSettings) -> String {
        var json = JSONWriter()
        json.beginObject()
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
