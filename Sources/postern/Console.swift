import Glibc
import Settings

/// Text for whoever called: results on standard output, complaints on standard error.
enum Console {
    /// Writes `text` and the end of a line to standard output.
    static func write(_ text: String) { put(text + "\n", STDOUT_FILENO) }

    /// Writes `text` and the end of a line to standard error.
    static func complain(_ text: String) { put(text + "\n", STDERR_FILENO) }

    static func complain(_ flaws: [SettingsFlaw]) {
        for flaw in flaws { complain(flaw.description) }
    }

    /// All of standard input, or one byte more than the limit; nil where it cannot be read.
    static func readAll(bytesAtMost limit: Int) -> [UInt8]? {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while text.count <= limit {
            // Safe: as many bytes as the array has.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            text += chunk[..<count]
        }
        return Array(text.prefix(limit + 1))
    }

    /// The wall clock in Unix seconds.
    static func now() -> Int64 { Int64(time(nil)) }

    /// Opens what the caller closed of standard input, output and error: a socket must not get such a number.
    static func holdStandardDescriptors() {
        // The C string lives for the length of the call. The lowest free number is taken, so these are the missing ones.
        for number in 0..<Int32(3) where fcntl(number, F_GETFD) < 0 { _ = unsafe open("/dev/null", O_RDWR) }
    }

    private static func put(_ text: String, _ descriptor: Int32) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            // The buffer holds `count` bytes, of which the first `done` are skipped.
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            // Nobody reads: there is no one to tell.
            guard written > 0 || (written < 0 && errno == EINTR) else { return }
            done += max(written, 0)
        }
    }
}
