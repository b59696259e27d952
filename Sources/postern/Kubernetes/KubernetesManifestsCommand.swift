import ArgumentParser
import Commands
import Authority
import Kubernetes
import Settings

struct KubernetesManifestsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manifests",
        abstract: "Print the manifests of injector and controller.",
        discussion: """
            They are rendered from the templates of the Helm chart, with the same values and defaults, which \
            `postern kubernetes chart` writes into values.yaml.
            """)

    @Option(help: ArgumentHelp("Of injector and controller.", valueName: "name"))
    var namespace = "postern-system"

    @Option(help: ArgumentHelp("A file of values (YAML); repeatable, later ones win.", valueName: "file"))
    var values: [String] = []

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "One value, such as injector.replicas=3; repeatable, and wins over files.", valueName: "key=value"))
    var assignments: [String] = []

    func run() throws {
        var chartValues = ChartValues()
        for path in values {
            let text = try Self.read(path)
            do throws(SettingsFlaw) {
                try chartValues.merge(text, file: path)
            } catch {
                Console.complain([error])
                throw ExitCode.badInput
            }
        }
        let text: String
        do throws(ChartFlaw) {
            for assignment in assignments { try chartValues.set(assignment) }
            text = try Installation(namespace: namespace, values: chartValues).manifests()
        } catch {
            throw BadInput(error.description)
        }
        try KubernetesOutput.write(text)
    }

    private static func read(_ path: String) throws -> [UInt8] {
        if path == "-" {
            guard let text = Console.readAll(bytesAtMost: bytesAtMost), text.count <= bytesAtMost else {
                throw BadInput("standard input cannot be read, or is larger than \(bytesAtMost >> 20) MiB")
            }
            return text
        }
        return Array(try readFile(path).utf8)
    }

    private static let bytesAtMost = 1 << 20
}
