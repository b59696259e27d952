public import Glibc

/// Writes `text` to a new file beside `path` and moves it there, so that no reader sees half of it.
public func writeFile(_ text: String, path: String, mode: mode_t) throws(PKIFault) {
    let fresh = "\(path).\(getpid()).new"
    _ = unsafe unlink(fresh)
    // The C strings live for the length of each call.
    let descriptor = unsafe open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .file(path: path, operation: "write", errno: errno) }
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
        // The buffer holds `count` bytes, of which the first `done` are skipped.
        let written = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress! + done, $0.count - done) }
        guard written >= 0 || errno == EINTR else {
            let reason = errno
            close(descriptor)
            _ = unsafe unlink(fresh)
            throw .file(path: path, operation: "write", errno: reason)
        }
        done += max(written, 0)
    }
    guard close(descriptor) == 0, unsafe rename(fresh, path) == 0 else {
        let reason = errno
        _ = unsafe unlink(fresh)
        throw .file(path: path, operation: "write", errno: reason)
    }
}

/// The whole of a text file of at most a mebibyte.
public func readFile(_ path: String) throws(PKIFault) -> String {
    // The C string lives for the length of the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(path: path, operation: "read", errno: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let room = buffer.count
    while true {
        // At most `room` bytes go into the array, which outlives the call.
        let count = unsafe read(descriptor, &buffer, room)
        if count == 0 { return String(decoding: bytes, as: UTF8.self) }
        guard count > 0 || errno == EINTR else { throw .file(path: path, operation: "read", errno: errno) }
        bytes += buffer.prefix(max(count, 0))
        guard bytes.count <= 1 << 20 else { throw .file(path: path, operation: "read", errno: EFBIG) }
    }
}
