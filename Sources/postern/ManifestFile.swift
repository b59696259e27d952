import Commands
import System

/// A manifest that a command reads: a file, or standard input.
enum ManifestFile {
    /// All of it, or one byte more than the limit; `-` is standard input.
    static func read(_ path: String, bytesAtMost limit: Int) throws -> [UInt8] {
        guard path != "-" else {
            guard let text = Console.readAll(bytesAtMost: limit) else {
                throw BadInput("standard input cannot be read")
            }
            return text
        }
        do throws(FileFlaw) {
            return try FileContents.read(path: path, limitBytes: limit).bytes
        } catch {
            throw BadInput("\(path): \(message(error))")
        }
    }

    private static func message(_ flaw: FileFlaw) -> String {
        switch flaw {
        case .cannotOpen(let number), .cannotRead(let number): systemMessage(number)
        case .notAFile: "not a regular file: give `-` and the text on standard input"
        case .tooLarge(let limit): "larger than \(limit >> 20) MiB"
        }
    }
}
