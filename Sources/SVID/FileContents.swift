import Glibc

/// A whole small file, read at once.
struct FileContents {
    var bytes: [UInt8]
    /// Whether anyone may read it but its owner and a group of ours, such as a pod's `fsGroup`.
    let readableByOthers: Bool

    /// Reads the regular file at `path`, at most `limitBytes` of it.
    static func read(path: String, limitBytes: Int = 1 << 20) throws(FileFlaw) -> FileContents {
        // O_NONBLOCK: a FIFO must be refused below, not waited for.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .unreadable(errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .unreadable(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        guard status.st_size <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }

        // The size may change under us: read until the end, within the limit.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size) + 1)
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            // Safe: read writes at most `count` bytes into the array's own storage.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(errno: errno) }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        }
        // The file may hold a key: leave no second copy.
        Self.overwrite(&chunk)
        return FileContents(bytes: bytes, readableByOthers: isReadableByOthers(status))
    }

    static func isReadableByOthers(_ status: stat) -> Bool {
        if status.st_mode & S_IROTH != 0 { return true }
        return status.st_mode & S_IRGRP != 0 && !isOurs(group: status.st_gid)
    }

    private static func isOurs(group: gid_t) -> Bool {
        if group == getegid() { return true }
        let count = getgroups(0, nil)
        guard count > 0 else { return false }
        // Safe: the array has as many places as the call is told.
        var groups = [gid_t](repeating: 0, count: Int(count))
        let filled = unsafe getgroups(count, &groups)
        return filled > 0 && groups.prefix(Int(filled)).contains(group)
    }

    /// Overwrites bytes that may be secret.
    static func overwrite(_ bytes: inout [UInt8]) {
        // Safe: explicit_bzero writes within the array's own storage.
        unsafe bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { unsafe explicit_bzero(base, $0.count) } }
    }
}

/// Why a file could not be read.
enum FileFlaw: Error, Hashable, CustomStringConvertible {
    case unreadable(errno: Int32)
    case notAFile
    case tooLarge(limitBytes: Int)

    var description: String {
        switch self {
        case .unreadable(ENOENT): "no such file"
        case .unreadable(let number): unsafe "cannot be read: \(String(cString: strerror(number)))"
        case .notAFile: "is not a regular file"
        case .tooLarge(let limitBytes): "is larger than \(limitBytes) bytes"
        }
    }
}
