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

    static func main() {
        Console.holdStandardDescriptors()
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch let error as BadInput {
            Console.complain("error: \(error)")
            exit(withError: ExitCode.badInput)
        } catch let error as any DescribedFault {
            Console.complain("error: \(error)")
            exit(withError: ExitCode.failure)
        } catch {
            // Help and --version are errors too; the rest is wrong input, for which ArgumentParser would exit with 64.
            let isAsked = exitCode(for: error) == .success
            let text = fullMessage(for: error)
            isAsked ? Console.write(text) : Console.complain(text)
            exit(withError: isAsked ? ExitCode.success : ExitCode.badInput)
        }
    }
}

extension ControlFault: DescribedFault {}
