import CLoopback
import Glibc
import PosternTesting

/// A thread that starts child processes, alive as long as this process; there is one for each sandbox.
///
/// The kernel sends the parent-death signal when the *thread* that started the child ends, and threads of a pool end
/// whenever the pool likes.
final class SpawnThread: Sendable {
    /// What its children cannot do.
    enum Sandbox {
        case none
        /// io_uring_setup fails with EPERM, as under the seccomp profile of a container.
        case withoutIOURing
    }

    static let shared = SpawnThread(.none)
    static let withoutIOURing = SpawnThread(.withoutIOURing)

    struct Spawned: Sendable {
        var identifier: pid_t
        var standardInput: Int32
        var standardOutput: Int32
        var standardError: Int32
    }

    private struct Order: Sendable {
        var words: [String]
        var folder: String?
        var answer: Monitor<Result<Spawned, SpawnFault>?>
    }

    private let orders = Monitor<[Order]>([])

    private init(_ sandbox: Sandbox) {
        // Children that stop reading must not end this process.
        _ = signal(SIGPIPE, SIG_IGN)
        let orders = orders
        _ = BackgroundThread {
            // A filter holds for the thread that asks for it, and for what it starts.
            if sandbox == .withoutIOURing { precondition(postern_forbid_io_uring(EPERM) == 0, "no seccomp here") }
            while true {
                let next = orders.wait(within: .seconds(3600)) { $0.isEmpty ? nil : $0.removeFirst() }
                guard let next else { continue }
                let outcome = Self.start(next.words, in: next.folder)
                next.answer.update { $0 = outcome }
            }
        }
    }

    func spawn(_ words: [String], in folder: String?) throws(SpawnFault) -> Spawned {
        let order = Order(words: words, folder: folder, answer: Monitor(nil))
        orders.update { $0.append(order) }
        guard let outcome = order.answer.wait(within: .seconds(30), for: { $0 }) else {
            throw SpawnFault(command: words, errno: ETIMEDOUT)
        }
        return try outcome.get()
    }

    private static func start(_ words: [String], in folder: String?) -> Result<Spawned, SpawnFault> {
        // Every pointer below is to a local that lives through the calls, and `posix_spawn` copies what it keeps.
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var defaults = sigset_t()
        var unblocked = sigset_t()
        let input = pipe()
        let output = pipe()
        let errors = pipe()
        var identifier: pid_t = 0

        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, input.read, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors.write, 2)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let folder { unsafe posix_spawn_file_actions_addchdir_np(&actions, folder) }
        unsafe posix_spawnattr_init(&attributes)
        unsafe sigemptyset(&defaults)
        unsafe sigaddset(&defaults, SIGPIPE)
        unsafe posix_spawnattr_setsigdefault(&attributes, &defaults)
        // This thread may have inherited that signals are blocked; children are to obey them.
        unsafe sigemptyset(&unblocked)
        unsafe posix_spawnattr_setsigmask(&attributes, &unblocked)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) } + [nil]
        let code = unsafe posix_spawnp(&identifier, words[0], &actions, &attributes, &arguments, environ)
        unsafe arguments.forEach { unsafe free($0) }
        unsafe posix_spawnattr_destroy(&attributes)
        unsafe posix_spawn_file_actions_destroy(&actions)

        for descriptor in [input.read, output.write, errors.write] { close(descriptor) }
        guard code == 0 else {
            for descriptor in [input.write, output.read, errors.read] { close(descriptor) }
            return .failure(SpawnFault(command: words, errno: code))
        }
        return .success(
            Spawned(
                identifier: identifier, standardInput: input.write, standardOutput: output.read,
                standardError: errors.read))
    }

    private static func pipe() -> (read: Int32, write: Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        // Two Int32 in a row are what the call fills.
        let outcome = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe Glibc.pipe($0.baseAddress!.assumingMemoryBound(to: Int32.self))
        }
        precondition(outcome == 0, "out of descriptors")
        return (ends.0, ends.1)
    }
}
