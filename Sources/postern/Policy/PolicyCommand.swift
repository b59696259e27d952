import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Policies from elsewhere.",
        subcommands: [PolicyImportCommand.self])
}
