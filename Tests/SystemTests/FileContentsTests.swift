import Glibc
import PosternTesting
import Testing

@testable import System

@Suite("A file that is read at once")
struct FileContentsTests {
    @Test("is read whole at exactly the limit, and refused with one byte more")
    func limit() throws {
        let size = try FileContents.read(path: #filePath).bytes.count
        #expect(try FileContents.read(path: #filePath, limitBytes: size).bytes.count == size)
        #expect(throws: FileFlaw.tooLarge(limitBytes: size - 1)) {
            try FileContents.read(path: #filePath, limitBytes: size - 1)
        }
    }

    @Test("may report a size of zero, as the kernel's files do")
    func procFile() throws {
        let status = try #require(FileContents.text(path: "/proc/self/status"))
        #expect(status.contains("Cpus_allowed_list:"))
        #expect(throws: FileFlaw.tooLarge(limitBytes: 8)) {
            try FileContents.read(path: "/proc/self/status", limitBytes: 8)
        }
        #expect(FileContents.beginning(path: "/proc/self/status", limitBytes: 5) == "Name:")
    }

    @Test("is neither a folder nor a device nor a FIFO, which is not waited for")
    func notAFile() throws {
        let folder = try TemporaryFolder()
        let fifo = folder.file("fifo")
        // The C string lives for the length of the call.
        try #require(unsafe mkfifo(fifo, 0o600) == 0)
        for path in [folder.path, fifo, "/dev/zero"] {
            #expect(throws: FileFlaw.notAFile) { try FileContents.read(path: path) }
            #expect(FileContents.text(path: path) == nil)
            #expect(FileContents.beginning(path: path, limitBytes: 1) == "")
        }
        #expect(throws: FileFlaw.cannotOpen(errno: ENOENT)) { try FileContents.read(path: folder.file("none")) }
    }

    @Test("is readable by others unless its mode says no, or only a group of ours may read it")
    func readableByOthers() {
        var status = stat()
        status.st_mode = S_IFREG | 0o640
        status.st_gid = getegid()
        #expect(!FileContents.isReadableByOthers(status))
        status.st_gid = 4_000_000_001
        #expect(FileContents.isReadableByOthers(status))
        status.st_mode = S_IFREG | 0o600
        #expect(!FileContents.isReadableByOthers(status))
        status.st_mode = S_IFREG | 0o604
        #expect(FileContents.isReadableByOthers(status))
    }

    @Test("leaves no byte of a secret that is overwritten")
    func overwrite() {
        var secret: [UInt8] = [1, 2, 3]
        FileContents.overwrite(&secret)
        #expect(secret == [0, 0, 0])
    }
}
