import Glibc

/// Why a file could not be read.
enum FileFault: Error, CustomStringConvertible {
    case open(errno: Int32)
    case read(errno: Int32)
    case tooLarge(bytesAtMost: Int)
    case notAFile

    var description: String {
        switch self {
        case .open(let number): "the file cannot be opened: \(Self.text(number))"
        case .read(let number): "the file cannot be read: \(Self.text(number))"
        case .notAFile: "the file is not a regular one: a FIFO or a device could keep the proxy waiting"
        case .tooLarge(let limit): "the file is larger than \(limit / 1_024) KiB"
        }
    }

    private static func text(_ number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        // strerror_r writes at most `count` bytes, NUL included, and is safe on any thread.
        let known = unsafe strerror_r(number, &text, text.count)
        guard known == 0 else { return "error \(number)" }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// The bytes of a regular file, read to its end.
func readFile(_ path: String, bytesAtMost: Int) throws(FileFault) -> [UInt8] {
    // Swift passes a NUL-terminated copy of the path, which outlives the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .open(errno: errno) }
    defer { close(descriptor) }
    var status = stat()
    // fstat() writes into `status`, which outlives the call.
    guard unsafe fstat(descriptor, &status) == 0 else { throw .read(errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 * 1_024)
    while bytes.count <= bytesAtMost {
        // The buffer is writable for its whole count, and read() keeps no pointer to it.
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        if count == 0 { return bytes }
        if count > 0 {
            bytes.append(contentsOf: chunk[..<count])
        } else if errno != EINTR {
            throw .read(errno: errno)
        }
    }
    throw .tooLarge(bytesAtMost: bytesAtMost)
}
