import ArgumentParser
import Commands
import Control
import Injector

/// The command line. Exit codes: 0 success, 1 failed, 2 bad input, 3 reviews cut at the drain.
@main
struct PosternInjector: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-injector",
        abstract: "The mutating webhook that adds the sidecar to the pods of a cluster.",
        // Asking OpenSSL what it has takes time.
        version: CommandLine.arguments.contains("--version") ? BuildInfo.text(of: "postern-injector") : "",
        subcommands: [RunCommand.self, CheckCommand.self]
    )

    static func main() { runAndExit() }
}

extension ControlFault: DescribedFault {}
