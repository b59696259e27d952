import Glibc
import PosternTesting
import Synchronization
import Testing

@testable import System

@Suite("The file of a Unix socket")
struct UnixSocketFileTests {
    @Test("over a dead socket, or over none, goes to one of several that come at once", arguments: [true, false])
    func race(isDead: Bool) throws {
        let folder = try TemporaryFolder("unix")
        for round in 0..<20 {
            let path = folder.file("\(round).sock")
            if isDead {
                let dead = makeSocket()
                try #require(SocketAddress(unix: path).bind(dead) == 0)
                closeDescriptor(dead)
            }
            // All have looked before one has its place.
            let sockets = (0..<4).map { _ in makeSocket() }
            let files = try sockets.map { try UnixSocketFile(binding: $0, at: path, .init(), backlog: 1) }
            let faults = Mutex<[Int32]>([])
            let threads = files.map { file in
                BackgroundThread {
                    do throws(UnixSocketFault) {
                        try file.place()
                    } catch {
                        faults.withLock { $0.append(error.errno) }
                    }
                }
            }
            for thread in threads { thread.join() }
            #expect(faults.withLock { $0 } == [EADDRINUSE, EADDRINUSE, EADDRINUSE])
            #expect(files.count(where: \.isInPlace) == 1)
            for file in files { file.remove() }
            for socket in sockets { closeDescriptor(socket) }
        }
        #expect(entries(ofFolder: folder.path).isEmpty)
    }

    @Test("does not wait for long for somebody who holds its folder")
    func busy() throws {
        let folder = try TemporaryFolder("unix")
        let holder = OwnedDescriptor(unsafe open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        #expect(flock(holder.number, LOCK_EX) == 0)
        let socket = OwnedDescriptor(makeSocket())
        let file = try UnixSocketFile(binding: socket.number, at: folder.file("a.sock"), .init(), backlog: 1)
        try file.place()
        #expect(file.isInPlace)
        file.remove()
        #expect(entries(ofFolder: folder.path).isEmpty)
    }

    @Test("has the permissions that are wanted from the beginning, whatever the umask")
    func mode() throws {
        let folder = try TemporaryFolder("unix")
        for mode in [0o600, 0o666, 0o640] as [mode_t] {
            let socket = OwnedDescriptor(makeSocket())
            let path = folder.file("a.sock")
            let file = try UnixSocketFile(binding: socket.number, at: path, .init(mode: mode), backlog: 1)
            try file.place()
            #expect(status(path).st_mode & 0o7777 == mode)
        }
    }

    @Test("whoever puts another file in its place has nothing changed that is not the socket")
    func swapped() throws {
        let folder = try TemporaryFolder("unix")
        let victim = try folder.write("precious", to: "victim")
        try #require(unsafe chmod(victim, 0o600) == 0)
        let (link, hard, socket) = (folder.file("link"), folder.file("hard"), folder.file("other.sock"))
        try #require(unsafe symlink(victim, link) == 0)
        let other = OwnedDescriptor(makeSocket())
        try #require(SocketAddress(unix: socket).bind(other.number) == 0)
        try #require(unsafe Glibc.link(socket, hard) == 0)
        let before = status(socket).st_mode
        for path in [victim, link, hard] {
            #expect(throws: UnixSocketFault(errno: EEXIST)) {
                _ = try UnixSocketFile.apply(.init(mode: 0o666, user: 1), to: path)
            }
        }
        #expect(status(victim).st_mode & 0o7777 == 0o600 && status(victim).st_uid == getuid())
        #expect(status(socket).st_mode == before && status(socket).st_uid == getuid())
    }

    private func makeSocket() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        // Safe: the call fills the structure, and the path lives through it.
        _ = unsafe lstat(path, &status)
        return status
    }
}
