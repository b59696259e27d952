import ArgumentParser
import Commands
import Settings
import Telemetry

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print a JSON Schema of the settings, by which editors complete and mark them.",
        discussion: """
            With the YAML language server, begin a file with: # yaml-language-server: $schema=postern.schema.json
            `postern check` says more: what depends on other values, or on their grammar, is in no schema.
            """)

    func run() throws {
        var json = JSONWriter()
        Settings.writeJSONSchema(to: &json)
        Console.write(json.text)
    }
}
