import ArgumentParser

/// The option `--config FILE`, shared by several commands.
struct ConfigOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings file (YAML).", valueName: "file"))
    var path: String
}

/// The option `--guardrails FILE`, shared by several commands.
struct GuardrailOption: ParsableArguments {
    @Option(
        name: .customLong("guardrails"),
        help: ArgumentHelp("A file of guardrails: policies that allow more are refused.", valueName: "file"))
    var path: String?
}
