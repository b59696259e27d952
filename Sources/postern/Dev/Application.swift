import Control
import Glibc
import System

/// The user's application: a child process with its port in PORT.
final class Application {
    let port: UInt16
    private let identifier: pid_t
    private var status: Int32?

    /// Starts `command`, looked up in PATH, with PORT in its environment.
    init(_ command: [String], port: UInt16) throws(DevFault) {
        self.port = port
        // C strings are valid for each call; no other thread runs yet that could read the environment.
        unsafe setenv("PORT", String(port), 1)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Restores the child's signals: this process blocks some and ignores SIGPIPE.
        var none = sigset_t()
        var pipe = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigemptyset(&pipe)
        unsafe sigaddset(&pipe, SIGPIPE)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &pipe)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words = unsafe command.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var started: pid_t = 0
        // The arguments end with nil and are freed after the call, which copies them.
        let result = unsafe posix_spawnp(&started, words[0]!, nil, &attributes, &words, environ)
        guard result == 0 else {
            throw DevFault(reason: "cannot start \(command[0]): \(systemMessage(result))")
        }
        identifier = started
    }

    /// The exit status in the shell's convention once the process has ended; nil while it runs.
    func reap() -> Int32? {
        if let status { return status }
        var raw: Int32 = 0
        // The status is written to a local that outlives the call.
        guard unsafe waitpid(identifier, &raw, WNOHANG) == identifier else { return nil }
        let signal = raw & 0x7F
        status = signal == 0 ? raw >> 8 & 0xFF : 128 + signal
        return status
    }

    func terminate() { send(SIGTERM) }

    func kill() { send(SIGKILL) }

    /// Waits for the process to end; kills it on timeout.
    func end(withinMilliseconds limit: Int) {
        for _ in 0..<(limit / 10) {
            if reap() != nil { return }
            usleep(10_000)
        }
        kill()
    }

    /// Never signals a reaped process: its number may have been reused.
    private func send(_ signal: Int32) {
        if reap() == nil { _ = Glibc.kill(identifier, signal) }
    }
}
