import Glibc

/// The contents of a small file, read at once. No copy of a byte is left in other memory.
public struct FileContents {
    public var bytes: [UInt8]
    /// Whether anyone may read it besides its owner and a group of ours, such as a pod's `fsGroup`.
    public let readableByOthers: Bool

    /// Reads the regular file at `path`, at most `limitBytes` of it.
    public static func read(path: String, limitBytes: Int = 1 << 20) throws(FileFlaw) -> FileContents {
        let file = try RegularFile(path)
        let size = Int(file.status.st_size)
        guard size <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        // The size may change under us: read until the end, within the limit.
        let bytes = try readBytes(of: file.descriptor.number, limitBytes: limitBytes + 1, expectedBytes: size + 1)
        guard bytes.count <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
        return FileContents(bytes: bytes, readableByOthers: isReadableByOthers(file.status))
    }

    /// The text of such a file; nil if it cannot be read or is larger.
    public static func text(path: String, limitBytes: Int = 1 << 20) -> String? {
        (try? read(path: path, limitBytes: limitBytes)).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The first `limitBytes` of a regular file's text, or all of a shorter one; empty if it cannot be read.
    public static func beginning(path: String, limitBytes: Int) -> String {
        guard let file = try? RegularFile(path) else { return "" }
        let bytes = try? readBytes(of: file.descriptor.number, limitBytes: limitBytes)
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    static func isReadableByOthers(_ status: stat) -> Bool {
        if status.st_mode & S_IROTH != 0 { return true }
        return status.st_mode & S_IRGRP != 0 && !isOurs(group: status.st_gid)
    }

    private static func isOurs(group: gid_t) -> Bool {
        if group == getegid() { return true }
        let count = getgroups(0, nil)
        guard count > 0 else { return false }
        // The array has as many elements as the call is told.
        var groups = [gid_t](repeating: 0, count: Int(count))
        let filled = unsafe getgroups(count, &groups)
        return filled > 0 && groups.prefix(Int(filled)).contains(group)
    }

    /// Overwrites bytes that may be secret.
    public static func overwrite(_ bytes: inout [UInt8]) {
        // Only the array's own storage is written to.
        unsafe bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { unsafe explicit_bzero(base, $0.count) } }
    }
}

/// Reads a descriptor to its end, or up to `limitBytes`. Blocks if the descriptor is blocking.
public func readBytes(
    of descriptor: Int32, limitBytes: Int, expectedBytes: Int = 0
) throws(FileFlaw) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(expectedBytes)
    var chunk = [UInt8](repeating: 0, count: 16_384)
    // It may have held a key: leave no second copy.
    defer { FileContents.overwrite(&chunk) }
    while bytes.count < limitBytes {
        let room = min(chunk.count, limitBytes - bytes.count)
        // At most `room` bytes go into the array, which outlives the call.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, room) }
        if count == 0 { break }
        guard count > 0 || errno == EINTR else { throw .cannotRead(errno: errno) }
        bytes += chunk.prefix(max(count, 0))
    }
    return bytes
}

/// An open file that is neither a FIFO nor a device.
private struct RegularFile: ~Copyable {
    let descriptor: OwnedDescriptor
    let status: stat

    init(_ path: String) throws(FileFlaw) {
        // O_NONBLOCK: a FIFO must be refused below, not waited for. The C string lives for the length of the call.
        let number = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard number >= 0 else { throw .cannotOpen(errno: errno) }
        let descriptor = OwnedDescriptor(number)
        var status = stat()
        // Writes into `status`, which outlives the call.
        guard unsafe fstat(number, &status) == 0 else { throw .cannotRead(errno: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        self.descriptor = descriptor
        self.status = status
    }
}
