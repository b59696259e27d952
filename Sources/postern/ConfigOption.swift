import ArgumentParser

/// `--config FILE`, as several commands take it.
struct ConfigOption: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings file (YAML).", valueName: "file"))
    var path: String
}
