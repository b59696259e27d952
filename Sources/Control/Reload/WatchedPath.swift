import Glibc

/// The directory entries that decide which file a path resolves to, and that file.
///
/// Kubernetes swaps a symbolic link in the middle of a path (`..data`); others rename over the file or write into it.
/// So every folder that holds a link of the path is watched, and the last one.
struct WatchedPath {
    /// An entry of a folder.
    struct Place: Hashable {
        let folder: String
        let name: String
    }

    private(set) var places: [Place] = []
    /// Nil if the path does not resolve.
    private(set) var file: String?

    init(_ path: String) {
        var rest = Self.names(of: path)
        var folder = path.hasPrefix("/") ? "/" : "."
        var links = 0
        while let name = rest.popLast() {
            let next = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
            var status = stat()
            // The call fills `status`, which outlives it.
            guard unsafe lstat(next, &status) == 0 else {
                places.append(Place(folder: folder, name: name))
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                places.append(Place(folder: folder, name: name))
                links += 1
                guard links <= Self.linksAtMost, let target = Self.target(ofLink: next) else { return }
                if target.hasPrefix("/") { folder = "/" }
                rest += Self.names(of: target)
            case S_IFDIR: folder = next
            default:
                places.append(Place(folder: folder, name: name))
                if rest.isEmpty { file = next }
                return
            }
        }
    }

    /// The components of a path in reverse order.
    private static func names(of path: String) -> [String] {
        path.split(separator: "/").filter { $0 != "." }.map(String.init).reversed()
    }

    private static func target(ofLink path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        // Writes at most the buffer's length, without a terminator.
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            unsafe readlink(path, room.baseAddress!.assumingMemoryBound(to: CChar.self), room.count)
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// The kernel's limit.
    private static let linksAtMost = 40
}
