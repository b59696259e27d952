import Glibc
import Settings
import System

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
        try? readBytes(of: STDIN_FILENO, limitBytes: limit + 1)
    }

    /// Opens what the caller closed of standard input, output and error: a socket must not get such a number.
    static func holdStandardDescriptors() {
        // The C string lives for the length of the call. The lowest free number is taken, so these are the missing
        // ones.
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
