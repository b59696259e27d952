import ArgumentParser

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Check, compare, test and import policies.",
        subcommands: [
            PolicyLintCommand.self, PolicyTestCommand.self, PolicyDiffCommand.self, PolicyImportCommand.self,
        ])
}
