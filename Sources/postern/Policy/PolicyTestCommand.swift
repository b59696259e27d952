import ArgumentParser
import Authority
import Commands
import Control
import Settings

struct PolicyTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Ask the policies about connections, and compare with what is expected.",
        discussion: """
            Decided by the code that `run` decides by; no certificate or key is looked at. The report ends with the \
            rules that no case is decided by.
            Exit codes: 0 as expected, 1 not so, 2 bad input.
            """)

    @Argument(help: ArgumentHelp("Files of cases (YAML).", valueName: "file"))
    var files: [String]

    @Option(
        name: [.customShort("c"), .customLong("config")],
        help: ArgumentHelp("The settings, in place of those that a file names.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Write a report in JUnit's format.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("Fail if cases decide by less of the rules, in per cent.", valueName: "percent"))
    var coverageAtLeast = 0

    func validate() throws {
        guard (0...100).contains(coverageAtLeast) else { throw ValidationError("--coverage-at-least is 0 to 100") }
    }

    func run() throws {
        var report = PolicyTestReport()
        for file in files {
            let outcome = PolicyCases.load(path: file)
            Console.complain(outcome.flaws)
            guard let cases = outcome.contents else { throw ExitCode.badInput }
            guard let path = config ?? cases.settings else {
                throw BadInput("\(file): name the settings with the key `settings`, or by --config")
            }
            report.run(cases.cases, file: file, of: try PolicyInput.settings(path), at: path)
        }
        if let junit {
            do throws(PKIFault) {
                try writeFile(report.junit, path: junit, mode: 0o644)
            } catch {
                throw BadInput("\(junit): \(error)")
            }
        }
        Console.write(report.text)
        guard report.isGood, report.coverage >= coverageAtLeast else { throw ExitCode.refused }
    }
}
