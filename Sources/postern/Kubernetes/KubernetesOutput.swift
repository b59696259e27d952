import ArgumentParser
import Commands
import Glibc
import System

enum KubernetesOutput {
    /// Writes to standard output; ends with 1 if it cannot be written.
    static func write(_ text: String) throws {
        guard !Console.write(bytes: Array(text.utf8)) else { return }
        Console.complain("standard output cannot be written: \(systemMessage(errno))")
        throw ExitCode.failure
    }
}
