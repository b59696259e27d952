import Glibc
import System

/// Where the access log goes.
public enum AccessLogDestination: Hashable, Sendable {
    case standardOutput, standardError
    /// Appended to; made with mode 0640 if it is missing.
    case file(path: String)
}

/// The open end of an access log. Belongs to the writer's thread.
struct AccessLogOutput: ~Copyable {
    enum WriteOutcome: Equatable {
        case written
        /// The rest could not be written; `bytes` of it were.
        case failed(bytes: Int, errno: Int32)
    }

    private let destination: AccessLogDestination
    private var file: OwnedDescriptor?

    init(_ destination: AccessLogDestination) throws(ControlFault) {
        self.destination = destination
        file = try Self.open(destination)
    }

    /// Opens the file anew, after a rotation moved the old one away; the old one stays in use when that fails.
    mutating func reopen() throws(ControlFault) {
        if let fresh = try Self.open(destination) { file = consume fresh }
    }

    /// Writes all of `bytes`, waiting as long as the reader takes.
    func write(_ bytes: [UInt8]) -> WriteOutcome {
        let descriptor =
            switch destination {
            case .standardOutput: STDOUT_FILENO
            case .standardError: STDERR_FILENO
            case .file: fileNumber
            }
        var done = 0
        while done < bytes.count {
            // The buffer holds `count` bytes, of which the first `done` are skipped.
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + done, $0.count - done)
            }
            if written >= 0 {
                done += written
                continue
            }
            switch errno {
            case EINTR: continue
            // Another process made the pipe or terminal non-blocking.
            case EAGAIN: _ = OwnedDescriptor.wait(descriptor, for: POLLOUT, timeoutMilliseconds: 1_000)
            case let reason: return .failed(bytes: done, errno: reason)
            }
        }
        return .written
    }

    private var fileNumber: Int32 {
        switch file {
        case .some(let file): file.number
        case nil: preconditionFailure("a file destination has its file open")
        }
    }

    private static func open(_ destination: AccessLogDestination) throws(ControlFault) -> OwnedDescriptor? {
        guard case .file(let path) = destination else { return nil }
        // O_NONBLOCK: a FIFO without a reader is not waited for; it says ENXIO, and is opened for both ends then, so
        // that its reader may come later. `write` waits where it must. The C strings live for the length of the calls.
        var number = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o640)
        if number < 0, errno == ENXIO { number = unsafe Glibc.open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) }
        guard number >= 0 else { throw .system(what: "cannot open the access log \(path)", errno: errno) }
        return OwnedDescriptor(number)
    }
}
