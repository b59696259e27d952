public import Glibc
import Synchronization

/// The file of a listening Unix socket. It is removed with its owner, unless another process has replaced it.
///
/// A process that died leaves its file behind: nobody answers there, and the next one replaces it. The file of a
/// process that listens is refused, as is a file that is no socket.
public final class UnixSocketFile: Sendable {
    public let path: String
    private let temporary: String
    private let standing: Mutex<Standing>
    private let device: dev_t
    private let inode: ino_t

    private enum Standing {
        case temporary(after: UnixSocketFile?)
        case placed
    }

    /// Who may connect: permission bits and, where given, the file's owner and group.
    public struct Access: Hashable, Sendable {
        public var mode: mode_t
        public var user: uid_t?
        public var group: gid_t?

        public init(mode: mode_t = 0o600, user: uid_t? = nil, group: gid_t? = nil) {
            self.mode = mode
            self.user = user
            self.group = group
        }
    }

    /// Binds the socket under a temporary name in the same folder; ``place()`` gives it its own, all of its permissions
    /// set before anyone can find it there.
    ///
    /// - Parameters:
    ///   - descriptor: a new Unix stream socket; it listens afterwards.
    ///   - predecessor: a file of this process whose place it may take although its socket listens.
    /// - Throws: EADDRINUSE where a process listens at the path; EEXIST where something else than a socket is there.
    public init(
        binding descriptor: Int32, at path: String, _ access: Access, after predecessor: UnixSocketFile? = nil,
        backlog: Int32
    ) throws(UnixSocketFault) {
        try Self.checkPlace(path, after: predecessor)
        // Under another name first: nobody may connect before the permissions are set.
        let temporary = "\(Self.folder(of: path)).\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))"
        guard temporary.utf8.count < SocketAddress.unixNameBytes else { throw UnixSocketFault(errno: ENAMETOOLONG) }
        // The file is made with the socket's own mode, as far as the umask lets it.
        _ = fchmod(descriptor, access.mode)
        let bound = SocketAddress(unix: temporary).bind(descriptor)
        guard bound == 0 else { throw UnixSocketFault(errno: 0 - bound) }
        do throws(UnixSocketFault) {
            let made = try Self.apply(access, to: temporary)
            (device, inode) = (made.st_dev, made.st_ino)
            try Self.check { Int(listen(descriptor, backlog)) }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        self.path = path
        self.temporary = temporary
        standing = Mutex(.temporary(after: predecessor))
    }

    /// Gives the socket its name, in place of a dead one or of its predecessor. Does nothing the second time.
    ///
    /// - Throws: EADDRINUSE where another process has taken the place meanwhile.
    public func place() throws(UnixSocketFault) {
        try standing.withLock { standing throws(UnixSocketFault) in
            guard case .temporary(let predecessor) = standing else { return }
            // Two processes that found the same dead socket come here one after the other.
            try FolderLock.hold(Self.folder(of: path)) { () throws(UnixSocketFault) in
                try Self.checkPlace(path, after: predecessor)
                try Self.check { Int(unsafe rename(temporary, path)) }
            }
            standing = .placed
        }
    }

    /// Whether the file is there, and this socket's.
    public var isInPlace: Bool {
        guard let present = try? Self.status(of: path) else { return false }
        return present.st_dev == device && present.st_ino == inode
    }

    /// Removes the file if it is still this socket's.
    public func remove() {
        guard case .placed = standing.withLock({ $0 }) else {
            unsafe unlink(temporary)
            return
        }
        // Nobody replaces it between the look and the removal.
        FolderLock.hold(Self.folder(of: path)) { if isInPlace { unsafe unlink(path) } }
    }

    deinit { remove() }

    /// Throws unless nothing is there, or a socket that nobody answers on, or the predecessor's.
    private static func checkPlace(_ path: String, after predecessor: UnixSocketFile?) throws(UnixSocketFault) {
        guard let present = try status(of: path) else { return }
        guard present.st_mode & S_IFMT == S_IFSOCK else { throw UnixSocketFault(errno: EEXIST) }
        guard predecessor?.isInPlace == true || !isAnswered(path) else { throw UnixSocketFault(errno: EADDRINUSE) }
    }

    /// Gives a socket's file that was just made its owner and mode, and returns what it is.
    ///
    /// By its descriptor, so that nobody who can write to the folder has another file changed in its stead.
    static func apply(_ access: Access, to path: String) throws(UnixSocketFault) -> stat {
        // Safe, here and below: the strings and the structure live through the calls.
        let number = systemCall { unsafe Int(open(path, openPath | O_NOFOLLOW | O_CLOEXEC)) }
        guard number >= 0 else { throw UnixSocketFault(errno: Int32(0 - number)) }
        let file = OwnedDescriptor(Int32(number))
        var made = stat()
        try check { unsafe Int(fstat(file.number, &made)) }
        guard made.st_mode & S_IFMT == S_IFSOCK, made.st_uid == geteuid(), made.st_nlink == 1 else {
            throw UnixSocketFault(errno: EEXIST)
        }
        if made.st_mode & ~S_IFMT != access.mode {
            try check { unsafe Int(chmod("/proc/self/fd/\(file.number)", access.mode)) }
        }
        if access.user != nil || access.group != nil {
            let (user, group) = (access.user ?? .max, access.group ?? .max)
            try check { unsafe Int(fchownat(file.number, "", user, group, atEmptyPath)) }
        }
        return made
    }

    private static func folder(of path: String) -> String {
        String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func status(of path: String) throws(UnixSocketFault) -> stat? {
        var status = stat()
        // Safe: the call fills the structure, and the path lives through it.
        let result = systemCall { unsafe Int(lstat(path, &status)) }
        if result == 0 { return status }
        guard result == -Int(ENOENT) else { throw UnixSocketFault(errno: Int32(0 - result)) }
        return nil
    }

    /// Whether a process listens there. Its queue may be full, and it may not let us in: only a refusal says that it is
    /// gone.
    private static func isAnswered(_ path: String) -> Bool {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | nonBlockingCloseOnExec, 0)
        guard number >= 0 else { return true }
        defer { closeDescriptor(number) }
        let result = SocketAddress(unix: path).connect(number)
        return result != 0 - ECONNREFUSED && result != 0 - ENOENT
    }

    private static func check(_ call: () -> Int) throws(UnixSocketFault) {
        let result = systemCall(call)
        guard result >= 0 else { throw UnixSocketFault(errno: Int32(0 - result)) }
    }

    /// O_PATH and AT_EMPTY_PATH of linux/fcntl.h.
    private static let openPath: Int32 = 0x20_0000
    private static let atEmptyPath: Int32 = 0x1000
    private static let nonBlockingCloseOnExec = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
}

/// Why a Unix socket could not get its place.
public struct UnixSocketFault: Error, Hashable, Sendable {
    public let errno: Int32
}
