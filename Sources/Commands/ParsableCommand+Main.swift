package import ArgumentParser
import Settings

extension ParsableCommand {
    /// What a program's `main` does: parses the command line, runs the command, and exits with the code of its outcome.
    package static func runAndExit() -> Never {
        Console.holdStandardDescriptors()
        guard !CommandLine.arguments.isEmpty else {
            Console.complain("error: the command line cannot be read: /proc must be mounted")
            exit(withError: ExitCode.badInput)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
            exit(withError: ExitCode.success)
        } catch let code as ExitCode {
            exit(withError: code)
        } catch let error as any InputFault {
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

    /// The suffix of a message about wrong arguments if the first one is nearly a command.
    private static var suggestion: String {
        let names = configuration.subcommands.map { $0._commandName }
        guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word),
            let nearest = nearestName(to: word, among: names)
        else { return "" }
        return "\nDid you mean `\(_commandName) \(nearest)`?"
    }
}
