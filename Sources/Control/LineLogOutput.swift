import Glibc
import Synchronization
import System

/// The descriptor for log lines. A stalled reader costs lines; logging never waits long for it.
final class LineLogOutput: Sendable {
    private struct State {
        /// Lost lines not reported yet.
        var lost = 0
        /// The last line was cut: a line break must precede the next one.
        var isInLine = false
    }

    private let descriptor: Int32
    private let state = Mutex(State())

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Writes a line, or drops it if the reader is stalled; `notice` makes the line that reports earlier losses. Any
    /// thread.
    func write(_ line: [UInt8], notice: (_ lost: Int) -> [UInt8]) {
        state.withLock { state in
            let isBehind = state.lost > 0
            // Once stalled, the reader is not waited for until it reads again.
            let text = (state.isInLine ? [UInt8(ascii: "\n")] : []) + (isBehind ? notice(state.lost) : []) + line
            let written = put(text, patienceMilliseconds: isBehind ? 0 : Self.patienceMilliseconds)
            if written == text.count { return state = State() }
            state.lost += 1
            if written > 0 { state.isInLine = text[written - 1] != UInt8(ascii: "\n") }
        }
    }

    /// The number of bytes that were written.
    private func put(_ bytes: [UInt8], patienceMilliseconds: Int32) -> Int {
        var done = 0
        while done < bytes.count {
            guard OwnedDescriptor.wait(descriptor, for: POLLOUT, timeoutMilliseconds: patienceMilliseconds) else {
                return done
            }
            let count = min(bytes.count - done, Self.stretchBytes)
            // The buffer holds `done + count` bytes at least, of which the first `done` are skipped.
            let written = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress! + done, count)
            }
            if written < 0, errno == EINTR { continue }
            // A failing log has nowhere to report it.
            guard written > 0 else { return done }
            done += written
        }
        return done
    }

    private static let patienceMilliseconds: Int32 = 100
    /// A writable pipe takes this much without blocking (PIPE_BUF).
    private static let stretchBytes = 4_096
}
