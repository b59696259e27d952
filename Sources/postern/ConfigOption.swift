import ArgumentParser

/// The option `--config FILE`, shared by several commands.
struct ConfigOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings file (YAML).", valueName: "file"))
    var path: String
}
