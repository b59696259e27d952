import Glibc

/// Why a file could not be read. The description continues a sentence that begins with the file's name.
public enum FileFlaw: Error, Hashable, CustomStringConvertible {
    case cannotOpen(errno: Int32)
    case cannotRead(errno: Int32)
    /// A FIFO or a device could keep the caller waiting.
    case notAFile
    case tooLarge(limitBytes: Int)

    public var description: String {
        switch self {
        case .cannotOpen(ENOENT): "no such file"
        case .cannotOpen(let number), .cannotRead(let number): "cannot be read: \(systemMessage(number))"
        case .notAFile: "is not a regular file"
        case .tooLarge(let limitBytes): "is larger than \(limitBytes) bytes"
        }
    }
}
