import System

/// A thread of its own for work that blocks, or that must run beside something else.
public struct BackgroundThread: Sendable {
    private let finished: Monitor<Bool>

    public init(_ body: @escaping @Sendable () -> Void) {
        let finished = Monitor(false)
        self.finished = finished
        do throws(ThreadFault) {
            _ = try PosixThread {
                body()
                finished.update { $0 = true }
            }
        } catch {
            preconditionFailure("out of threads: \(describe(error.errno))")
        }
    }

    /// Waits for the end of the thread's work; false if it is still under way after `limit`.
    @discardableResult
    public func join(within limit: Duration = .seconds(30)) -> Bool {
        finished.wait(within: limit) { $0 ? true : nil } ?? false
    }
}
