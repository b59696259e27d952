import Glibc
import System

/// A folder of its own for files of a test or benchmark, removed with all that is in it when the value goes.
public final class TemporaryFolder: Sendable {
    public let path: String

    /// - Parameter purpose: stands in the folder's name, for whoever finds it after a crash.
    public init(_ purpose: String = "test") throws(FolderFault) {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/postern-\(purpose).XXXXXX".utf8CString)
        // The template ends with a zero byte and is replaced in place.
        guard unsafe mkdtemp(&template) != nil else { throw FolderFault(path: base, errno: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    /// The full path of a file in the folder.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file that only its owner can read, and returns its full path.
    @discardableResult
    public func write(_ text: String, to name: String) throws(FolderFault) -> String {
        let path = file(name)
        // Every C string lives for the length of its call.
        let number = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw FolderFault(path: path, errno: errno) }
        let descriptor = OwnedDescriptor(number)
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            // The array outlives the call, and has `done` bytes and more.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor.number, $0.baseAddress! + done, $0.count - done)
            }
            guard count > 0 else { throw FolderFault(path: path, errno: errno) }
            done += count
        }
        return path
    }

    /// Follows no link: what it names is not ours.
    private static func remove(_ path: String) {
        guard unsafe unlink(path) != 0, errno == EISDIR else { return }
        for name in entries(ofFolder: path) { remove(path + "/" + name) }
        _ = unsafe rmdir(path)
    }
}

/// Why a folder of a test could not be made or written to.
public struct FolderFault: Error, Hashable, CustomStringConvertible {
    let path: String
    let errno: Int32

    public var description: String { "\(path): \(describe(errno))" }
}

/// What is in a folder, without `.` and `..`; empty where it cannot be read.
public func entries(ofFolder path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    // The stream is open until the end of the scope; an entry's name ends with a zero byte.
    defer { unsafe _ = closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
            unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
