import ArgumentParser
import Commands
import PolicyController
import Settings
import System

/// Files with policies.
struct PolicyManifests: ParsableArguments {
    @Argument(help: ArgumentHelp("Manifests with policies.", valueName: "file"))
    var files: [String]

    /// Reads all of them, and writes their flaws; throws if there are errors, or no policies.
    func check() throws -> PolicyCheck {
        var check = PolicyCheck()
        for path in files { check.read(try Self.read(path, bytesAtMost: Self.bytesAtMost), file: path) }
        Console.complain(check.flaws)
        guard !check.flaws.contains(where: { $0.severity == .error }) else { throw ExitCode.badInput }
        guard check.count > 0 else { throw BadInput("there is no PosternPolicy in \(files.joined(separator: ", "))") }
        return check
    }

    static func read(_ path: String, bytesAtMost: Int) throws(BadInput) -> [UInt8] {
        do throws(FileFlaw) {
            return try FileContents.read(path: path, limitBytes: bytesAtMost).bytes
        } catch {
            throw BadInput("\(path): \(error)")
        }
    }

    private static let bytesAtMost = 16 << 20
}
