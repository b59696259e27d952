import ArgumentParser
import Commands
import Control

/// The command line. Exit codes: 0 success, 1 failed, 2 bad input.
@main
struct PosternController: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern-controller",
        abstract: "Makes settings of workloads from the PosternPolicies of a cluster.",
        // Asking OpenSSL what it has takes time.
        version: CommandLine.arguments.contains("--version") ? BuildInfo.text(of: "postern-controller") : "",
        subcommands: [RunCommand.self, CheckCommand.self, CompileCommand.self]
    )

    static func main() { runAndExit() }
}

extension ControlFault: DescribedFault {}
