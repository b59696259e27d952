import ArgumentParser
import Commands
import Authority
import Glibc
import Kubernetes
import System

struct KubernetesChartCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chart",
        abstract: "Write the Helm chart of this version to a folder.",
        discussion: "`helm install` takes the folder, and so does `helm package`.")

    @Argument(help: ArgumentHelp("The folder, which must not be there yet.", valueName: "dir"))
    var folder: String

    func run() throws {
        // With what an older version had, it would be a mixture of two charts.
        try make(folder, mayExist: false)
        var made: Set<String> = []
        for file in ChartFile.all {
            if let slash = file.path.lastIndex(of: "/") {
                let name = String(file.path[..<slash])
                if made.insert(name).inserted { try make("\(folder)/\(name)", mayExist: true) }
            }
            try writeFile(String(decoding: file.bytes, as: UTF8.self), path: "\(folder)/\(file.path)", mode: 0o644)
        }
        Console.write(folder)
    }

    private func make(_ path: String, mayExist: Bool) throws {
        // The C string is valid for the call.
        guard unsafe mkdir(path, 0o755) != 0 else { return }
        let number = errno
        if mayExist, number == EEXIST { return }
        guard number != EEXIST else { throw BadInput("\(path) exists already") }
        throw BadInput("\(path): \(systemMessage(number))")
    }
}
