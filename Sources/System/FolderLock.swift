import Glibc

/// A lock that processes hold one at a time while they look at a name in a folder and change what it means: flock(2) on
/// the folder, which leaves no file behind and ends with its holder, however that ends.
enum FolderLock {
    enum Outcome<Value> {
        case done(Value)
        /// Somebody has held it for longer than a look takes.
        case busy
    }

    /// Runs `body` under the lock of `folder`; without it where the folder cannot be opened, or its file system has
    /// none.
    static func hold<Value, Fault: Error>(
        _ folder: String, _ body: () throws(Fault) -> Value
    ) throws(Fault) -> Outcome<Value> {
        // The string lives through the call.
        let number = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return .done(try body()) }
        // Which releases the lock.
        defer { closeDescriptor(number) }
        let deadline = MonotonicClock.milliseconds() + patienceMilliseconds
        while flock(number, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
            guard MonotonicClock.milliseconds() < deadline else { return .busy }
            usleep(pauseMicroseconds)
        }
        return .done(try body())
    }

    private static let patienceMilliseconds: Int64 = 1_000
    private static let pauseMicroseconds: UInt32 = 2_000
}
