import Glibc

/// A folder of its own for files of a test or benchmark, removed with the files in it.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init(_ purpose: String) throws(SpawnFault) {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/postern-\(purpose).XXXXXX".utf8CString)
        // The template ends with a zero byte and is replaced in place.
        guard unsafe mkdtemp(&template) != nil else { throw SpawnFault(command: ["mkdtemp"], errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in ProcessFigures.entries(of: path) { unsafe unlink(file(name)) }
        unsafe rmdir(path)
    }

    /// The full path of a file in the folder.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file that only its owner can read, and returns its full path.
    @discardableResult
    public func write(_ text: String, to name: String) throws(SpawnFault) -> String {
        try write(Array(text.utf8), to: name)
    }

    @discardableResult
    public func write(_ bytes: [UInt8], to name: String) throws(SpawnFault) -> String {
        let path = file(name)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SpawnFault(command: ["open", path], errno: errno) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            // The array outlives the call.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written)
            }
            guard count > 0 else { throw SpawnFault(command: ["write", path], errno: errno) }
            written += count
        }
        return path
    }
}
