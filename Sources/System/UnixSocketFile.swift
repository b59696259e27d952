public import Glibc
import Synchronization

/// The file of a listening Unix socket. It is removed with its owner, unless another process has replaced it.
///
/// A process that died leaves its file behind: nobody answers there, and the next one replaces it. The file of a
/// process that listens is refused, as is a file that is no socket.
public final class UnixSocketFile: Sendable {
    public let path: String
    private let temporary: String
    private let isPlaced = Atomic(false)
    private let device: dev_t
    private let inode: ino_t

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
        if let present = try Self.status(of: path) {
            guard present.st_mode & S_IFMT == S_IFSOCK else { throw UnixSocketFault(errno: EEXIST) }
            guard predecessor?.isInPlace == true || !Self.isAnswered(path) else {
                throw UnixSocketFault(errno: EADDRINUSE)
            }
        }
        // Under another name first: nobody may connect before the permissions are set.
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        let temporary = "\(folder).\(String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16))"
        guard temporary.utf8.count < SocketAddress.unixNameBytes else { throw UnixSocketFault(errno: ENAMETOOLONG) }
        let bound = SocketAddress(unix: temporary).bind(descriptor)
        guard bound == 0 else { throw UnixSocketFault(errno: 0 - bound) }
        do throws(UnixSocketFault) {
            try Self.check { Int(unsafe chmod(temporary, access.mode)) }
            if access.user != nil || access.group != nil {
                try Self.check { Int(unsafe lchown(temporary, access.user ?? .max, access.group ?? .max)) }
            }
            try Self.check { Int(listen(descriptor, backlog)) }
            guard let made = try Self.status(of: temporary) else { throw UnixSocketFault(errno: ENOENT) }
            (device, inode) = (made.st_dev, made.st_ino)
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        self.path = path
        self.temporary = temporary
    }

    /// Gives the socket its name, in place of a dead one or of its predecessor. Does nothing the second time.
    public func place() throws(UnixSocketFault) {
        guard !isPlaced.load(ordering: .relaxed) else { return }
        try Self.check { Int(unsafe rename(temporary, path)) }
        isPlaced.store(true, ordering: .relaxed)
    }

    private var isInPlace: Bool {
        guard let present = try? Self.status(of: path) else { return false }
        return present.st_dev == device && present.st_ino == inode
    }

    /// Removes the file if it is still this socket's.
    public func remove() {
        if !isPlaced.load(ordering: .relaxed) { unsafe unlink(temporary) } else if isInPlace { unsafe unlink(path) }
    }

    deinit { remove() }

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

    private static let nonBlockingCloseOnExec = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
}

/// Why a Unix socket could not get its place.
public struct UnixSocketFault: Error, Hashable, Sendable {
    public let errno: Int32
}
