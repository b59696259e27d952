import Glibc
import System

extension AccessLogOutput {
    /// Why a file at `path` cannot be opened for appending, checked without creating it; nil if it can.
    static func obstacle(at path: String) -> String? {
        // Every C string is valid for its call.
        if unsafe access(path, F_OK) == 0 {
            // Opening would block on a pipe without a reader.
            return unsafe access(path, W_OK) == 0 ? folderObstacle(path) : systemMessage(errno)
        }
        guard errno == ENOENT else { return systemMessage(errno) }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "./"
        return unsafe access(String(folder), W_OK | X_OK) == 0 ? nil : systemMessage(errno)
    }

    private static func folderObstacle(_ path: String) -> String? {
        var status = stat()
        // Writes into `status`, which outlives the call.
        guard unsafe stat(path, &status) == 0 else { return systemMessage(errno) }
        return status.st_mode & S_IFMT == S_IFDIR ? systemMessage(EISDIR) : nil
    }
}
