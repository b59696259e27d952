import ArgumentParser
import Commands
import PolicyController
import Settings

struct CompileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compile",
        abstract: "Print the settings that a workload would have.",
        discussion: """
            Takes the settings of the namespace, and policies from manifests as `check` does, in place of those of a \
            cluster. `postern explain --config` answers questions about the result.
            Exit codes: 0 printed, 1 the output cannot be written, 2 flawed.
            """)

    @Option(help: ArgumentHelp("The settings of the namespace.", valueName: "file"))
    var settings: String

    @Option(help: ArgumentHelp("A label of the pods; repeatable.", valueName: "key=value"))
    var label: [String] = []

    @Option(help: ArgumentHelp("The namespace, where manifests name several.", valueName: "name"))
    var namespace: String?

    @OptionGroup var manifests: PolicyManifests

    func run() throws {
        let policies = try manifests.check()
        guard namespace != nil || policies.namespaces.count <= 1 else {
            throw BadInput("the policies are of several namespaces: give one by --namespace")
        }
        var labels: [String: String] = [:]
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw BadInput("--label \(text): expected key=value")
            }
            labels[parts[0]] = parts[1]
        }
        let base = try PolicyManifests.read(settings, bytesAtMost: Settings.bytesAtMost)
        let result: (text: String, remarks: [String])
        do throws(PolicyProblem) {
            result = try policies.settings(base, labels: labels, namespace: namespace)
        } catch {
            throw BadInput(error.message)
        }
        for remark in result.remarks { Console.complain("warning: \(remark)") }
        guard Console.write(bytes: Array(result.text.utf8)) else { throw ExitCode.failure }
    }
}
