import Glibc
package import Settings
import System

/// Output for the user: results on standard output, errors on standard error.
package enum Console {
    /// Writes `text` and a newline to standard output.
    package static func write(_ text: String) { put(Array((text + "\n").utf8), STDOUT_FILENO) }

    /// Writes bytes to standard output as they are; false if not all of them could be.
    package static func write(bytes: [UInt8]) -> Bool { put(bytes, STDOUT_FILENO) }

    /// Writes `text` and a newline to standard error.
    package static func complain(_ text: String) { put(Array((text + "\n").utf8), STDERR_FILENO) }

    package static func complain(_ flaws: [SettingsFlaw]) {
        for flaw in flaws { complain(flaw.description) }
    }

    /// All of standard input, or one byte more than the limit; nil if it cannot be read.
    package static func readAll(bytesAtMost limit: Int) -> [UInt8]? {
        try? readBytes(of: STDIN_FILENO, limitBytes: limit + 1)
    }

    /// Opens standard streams that the caller closed: no socket must get one of their numbers.
    package static func holdStandardDescriptors() {
        // The C string is valid for the call. `open` takes the lowest free number, so it fills the missing ones.
        for number in 0..<Int32(3) where fcntl(number, F_GETFD) < 0 { _ = unsafe open("/dev/null", O_RDWR) }
    }

    @discardableResult
    private static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            // The buffer holds `count` bytes, of which the first `done` are skipped.
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            guard written > 0 || (written < 0 && errno == EINTR) else { return false }
            done += max(written, 0)
        }
        return true
    }
}
