import ArgumentParser
import Commands
import Control
import Glibc
import Settings
import System

/// What the commands about policies read.
enum PolicyInput {
    /// The settings of a file; flaws go to standard error.
    static func settings(_ path: String) throws -> Settings {
        let outcome = Settings.load(path: path, endpointSocket: WorkloadEnvironment.endpointSocket)
        guard let settings = outcome.settings else {
            Console.complain(outcome.flaws)
            throw ExitCode.badInput
        }
        return settings
    }

    /// Passes each line of a file on, without its end. Lines that are longer than the longest of ours are left out.
    static func lines(of path: String, _ take: ([UInt8]) -> Void) throws {
        // The C string lives for the call.
        let descriptor = OwnedDescriptor(unsafe open(path, O_RDONLY | O_CLOEXEC))
        guard descriptor.number >= 0 else { throw BadInput("\(path): \(systemMessage(errno))") }
        var line: [UInt8] = []
        var isTooLong = false
        var chunk = [UInt8](repeating: 0, count: 256 * 1_024)
        while true {
            // Writes at most the array's length.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe read(descriptor.number, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw BadInput("\(path): \(systemMessage(errno))") }
            guard count > 0 else { break }
            var rest = chunk[..<count]
            while let end = rest.firstIndex(of: 0x0A) {
                line += rest[..<end]
                if !isTooLong { take(line) }
                line.removeAll(keepingCapacity: true)
                isTooLong = false
                rest = rest[(end + 1)...]
            }
            line += rest
            if line.count > 1 << 20 {
                isTooLong = true
                line.removeAll()
            }
        }
        if !line.isEmpty, !isTooLong { take(line) }
    }
}
