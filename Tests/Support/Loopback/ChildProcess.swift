public import CLoopback
import Glibc
import PosternTesting

/// A child process whose output is recorded as it comes, and which never outlives this one.
public final class ChildProcess: Sendable {
    public let identifier: pid_t
    public let name: String
    public let standardOutput: Transcript
    public let standardError: Transcript

    private let state: Monitor<State>
    private let inputDescriptor: Monitor<Int32>

    private struct State {
        var isReaped = false
        var exit: ProcessExit?
    }

    /// Starts `command` (looked up in PATH), killed by the kernel should this process die first.
    ///
    /// - Parameter refusesIOURing: true where io_uring_setup is to fail with EPERM, as in a container.
    public init(
        _ command: [String], in folder: String? = nil, core: Int? = nil, openFileLimit: Int? = nil,
        environment: [String: String] = [:], refusesIOURing: Bool = false
    ) throws(SpawnFault) {
        var words = ["setpriv", "--pdeathsig", "KILL", "--"]
        if let core { words += ["taskset", "-c", "\(core)"] }
        if let openFileLimit { words += ["prlimit", "--nofile=\(openFileLimit):\(openFileLimit)"] }
        if !environment.isEmpty { words += ["env"] + environment.map { "\($0)=\($1)" }.sorted() }
        words += command
        let spawned = try (refusesIOURing ? SpawnThread.withoutIOURing : .shared).spawn(words, in: folder)

        identifier = spawned.identifier
        name = command[0].split(separator: "/").last.map(String.init) ?? command[0]
        inputDescriptor = Monitor(spawned.standardInput)
        standardOutput = Transcript(recording: spawned.standardOutput)
        standardError = Transcript(recording: spawned.standardError)
        let state = Monitor(State())
        self.state = state
        let identifier = spawned.identifier
        _ = BackgroundThread { Self.reap(identifier, into: state) }
    }

    deinit {
        signalGroup(SIGKILL)
        closeInput()
    }

    /// Sends a signal; does nothing once the process has ended.
    public func signal(_ number: Int32) {
        // Under the lock the process is not reaped, so its number belongs to no one else.
        state.read { if !$0.isReaped { _ = kill(identifier, number) } }
    }

    /// Asks the process to end with SIGTERM, and makes it after `limit`.
    @discardableResult
    public func stop(within limit: Duration = .seconds(10)) -> ProcessExit? {
        signal(SIGTERM)
        if let exit = awaitExit(within: limit) { return exit }
        signalGroup(SIGKILL)
        _ = awaitExit(within: .seconds(5))
        return nil
    }

    /// Waits for the end of the process and of its output.
    public func awaitExit(within limit: Duration = .seconds(10)) -> ProcessExit? {
        let deadline = Deadline.within(limit)
        guard let exit = state.wait(within: limit, for: { $0.exit }) else { return nil }
        let left = Duration.milliseconds(max(100, deadline.remainingMilliseconds))
        standardOutput.awaitEnd(within: left)
        standardError.awaitEnd(within: left)
        return exit
    }

    public var isRunning: Bool { state.read { $0.exit == nil } }

    /// Writes to the standard input; bytes for a process that no longer reads are dropped.
    public func write(_ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let descriptor = inputDescriptor.read { $0 }
        var written = 0
        while descriptor >= 0, written < bytes.count {
            // The array outlives the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            if count > 0 { written += count } else if errno != EINTR { return }
        }
    }

    /// Ends the standard input.
    public func closeInput() {
        inputDescriptor.update { descriptor in
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }
    }

    private func signalGroup(_ number: Int32) {
        state.read { if !$0.isReaped { _ = kill(-identifier, number) } }
    }

    /// Waits without reaping first, so that `signal` can never hit a process with a recycled number.
    private static func reap(_ identifier: pid_t, into state: Monitor<State>) {
        // Pointer to a local that the call fills and nobody reads.
        var info = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(identifier), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        state.update { state in
            var status: Int32 = 0
            // Pointer to a local.
            while unsafe waitpid(identifier, &status, 0) < 0, errno == EINTR {}
            state.isReaped = true
            state.exit = ProcessExit(waitStatus: status)
        }
    }
}

/// How a process ended.
public enum ProcessExit: Hashable, Sendable {
    case code(Int32)
    case signal(Int32)

    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }
}

/// Why a process could not be started.
public struct SpawnFault: Error, Sendable, CustomStringConvertible {
    public let command: [String]
    public let errno: Int32
    public var description: String { "cannot start \(command.joined(separator: " ")): errno \(errno)" }
}
