import Glibc

/// A lock that processes hold one at a time while they look at a name in a folder and change what it means: flock(2) on
/// the folder, which leaves no file behind and ends with its holder, however that ends.
enum FolderLock {
    /// Runs `body` under the lock of `folder`; without it where the folder cannot be opened, its file system has none,
    /// or somebody holds it for longer than a look takes: whoever can read the folder could, and it is there for
    /// processes that start at once only.
    static func hold<Value, Fault: Error>(_ folder: String, _ body: () throws(Fault) -> Value) throws(Fault) -> Value {
        // The string lives through the call.
        let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return try body() }
        // Which releases the lock.
        defer { closeDescriptor(number) }
        let deadline = MonotonicClock.milliseconds() + patienceMilliseconds
        while flock(number, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
            guard MonotonicClock.milliseconds() < deadline else { break }
            usleep(pauseMicroseconds)
        }
        return try body()
    }

    private static let patienceMilliseconds: Int64 = 250
    private static let pauseMicroseconds: UInt32 = 2_000
}
