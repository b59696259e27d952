public import Glibc
import System

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
    do throws(FileFlaw) {
        return String(decoding: try FileContents.read(path: path).bytes, as: UTF8.self)
    } catch {
        switch error {
        case .cannotOpen(let number), .cannotRead(let number):
            throw .file(path: path, operation: "read", errno: number)
        case .notAFile: throw .notAFile(path: path)
        case .tooLarge: throw .file(path: path, operation: "read", errno: EFBIG)
        }
    }
}
