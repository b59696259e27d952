import ArgumentParser
import Authority
import Commands
import Control
import EventLoop
import Settings

/// The command line. Exit codes: 0 success, 1 refused or failed, 2 bad input, 3 connections cut at the drain.
@main
struct Postern: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "postern",
        abstract: "A userspace mTLS sidecar proxy that authorizes by SPIFFE ID before it forwards a byte.",
        discussion: """
            New here? `postern dev` shows an allowed and a refused call with certificates made on the spot.
            """,
        // Asking OpenSSL what it has takes time, and decides for a module of it.
        version: CommandLine.arguments.contains("--version") ? buildInfo : version,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, LoadCommand.self, DevCommand.self, CACommand.self,
            RedirectCommand.self, InjectCommand.self, ValidateCommand.self, AwaitCommand.self, DoctorCommand.self,
        ]
    )

    static let version = BuildInfo.version
    private static var buildInfo: String {
        BuildInfo.text(of: "postern", libraries: ["liburing \(IOURingVersion.text)"])
    }

    static func main() {
        Console.holdStandardDescriptors()
        guard !CommandLine.arguments.isEmpty else {
            Console.complain("error: the command line cannot be read: /proc must be mounted")
            exit(withError: ExitCode.badInput)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let code as ExitCode {
            exit(withError: code)
        } catch let error as BadInput {
            Console.complain("error: \(error)")
            exit(withError: ExitCode.badInput)
        } catch let error as PKIFault {
            Console.complain("error: \(error)")
            exit(withError: ExitCode.badInput)
        } catch let error as any DescribedFault {
            Console.complain("error: \(error)")
            exit(withError: ExitCode.failure)
        } catch {
            // Help and --version are errors too; the rest is wrong input, for which ArgumentParser would exit with 64.
            let isAsked = exitCode(for: error) == .success
            let text = fullMessage(for: error)
            isAsked ? Console.write(text) : Console.complain(text + suggestion)
            exit(withError: isAsked ? ExitCode.success : ExitCode.badInput)
        }
    }
}

extension Postern {
    /// The suffix of a message about wrong arguments if the first one is nearly a command.
    fileprivate static var suggestion: String {
        let names = configuration.subcommands.map { $0._commandName }
        guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word),
            let nearest = nearestName(to: word, among: names)
        else { return "" }
        return "\nDid you mean `postern \(nearest)`?"
    }
}

extension ControlFault: DescribedFault {}
extension ProxyFault: DescribedFault {}
extension DevFault: DescribedFault {}
