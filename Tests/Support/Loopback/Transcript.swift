import Glibc
import PosternTesting

/// Everything that came out of a descriptor so far, as bytes and as complete lines.
public final class Transcript: Sendable {
    private let record = Monitor(Record())

    private struct Record {
        var bytes: [UInt8] = []
        var lines: [String] = []
        var lineStart = 0
        var hasEnded = false
    }

    /// Reads the descriptor to its end in a thread of its own, then closes it.
    init(recording descriptor: Int32) {
        let record = record
        _ = BackgroundThread {
            var chunk = [UInt8](repeating: 0, count: 65536)
            while true {
                // The kernel writes at most `count` bytes into the array.
                let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                record.update { Self.append(chunk[..<count], to: &$0) }
            }
            record.update { $0.hasEnded = true }
            close(descriptor)
        }
    }

    public var bytes: [UInt8] { record.read { $0.bytes } }
    public var lines: [String] { record.read { $0.lines } }
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Waits for a line, past the first `skip`, for which `probe` has an answer.
    public func awaitLine<Answer>(
        within limit: Duration = .seconds(10), skip: Int = 0, _ probe: (String) -> Answer?
    ) -> Answer? {
        var seen = skip
        let answer: Answer?? = record.wait(within: limit) { record in
            while seen < record.lines.count {
                seen += 1
                if let answer = probe(record.lines[seen - 1]) { return .some(answer) }
            }
            return record.hasEnded ? .some(nil) : nil
        }
        return answer ?? nil
    }

    /// Waits until at least `count` bytes have come; nil if the end or the deadline came first.
    public func awaitBytes(_ count: Int, within limit: Duration = .seconds(10)) -> [UInt8]? {
        let answer: [UInt8]?? = record.wait(within: limit) { record in
            if record.bytes.count >= count { return .some(record.bytes) }
            return record.hasEnded ? .some(nil) : nil
        }
        return answer ?? nil
    }

    /// Waits for the end of the output; false when `limit` has passed first.
    @discardableResult
    public func awaitEnd(within limit: Duration = .seconds(10)) -> Bool {
        record.wait(within: limit) { $0.hasEnded ? true : nil } ?? false
    }

    private static func append(_ chunk: ArraySlice<UInt8>, to record: inout Record) {
        var scan = record.bytes.count
        record.bytes += chunk
        while scan < record.bytes.count {
            if record.bytes[scan] == UInt8(ascii: "\n") {
                record.lines.append(String(decoding: record.bytes[record.lineStart..<scan], as: UTF8.self))
                record.lineStart = scan + 1
            }
            scan += 1
        }
    }
}
