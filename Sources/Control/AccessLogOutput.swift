import Glibc
import System

/// Where the access log goes.
public enum AccessLogDestination: Hashable, Sendable {
    case standardOutput, standardError
    /// Appended to; created with mode 0640 if missing.
    case file(path: String)
}

/// The open output of an access log. Belongs to the writer's thread.
struct AccessLogOutput: ~Copyable {
    enum WriteOutcome: Equatable {
        case written
        /// Only the first `bytes` were written.
        case failed(bytes: Int, errno: Int32)
    }

    private let destination: AccessLogDestination
    private var file: OwnedDescriptor?

    init(_ destination: AccessLogDestination) throws(ControlFault) {
        self.destination = destination
        file = try Self.open(destination)
    }

    /// Reopens the file after a rotation; on failure the old one stays in use.
    mutating func reopen() throws(ControlFault) {
        if let fresh = try Self.open(destination) { file = consume fresh }
    }

    /// Writes all of `bytes`; blocks for as long as the log's reader does.
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
        // O_NONBLOCK: opening a FIFO without a reader must not block; it fails with ENXIO and is then opened for
        // reading and writing, so that a reader can attach later. `write` blocks where it must. The C strings are valid
        // for the calls.
        var number = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o640)
        if number < 0, errno == ENXIO { number = unsafe Glibc.open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK) }
        guard number >= 0 else { throw .system(what: "cannot open the access log \(path)", errno: errno) }
        return OwnedDescriptor(number)
    }
}
