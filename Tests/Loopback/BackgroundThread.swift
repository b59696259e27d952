import Glibc

/// A thread of its own for work that blocks.
public struct BackgroundThread: Sendable {
    private let finished: Monitor<Bool>

    public init(_ body: @escaping @Sendable () -> Void) {
        let finished = Monitor(false)
        self.finished = finished
        let work = Work {
            body()
            finished.update { $0 = true }
        }
        var thread = pthread_t()
        // The new thread takes the reference over, exactly once.
        let argument = unsafe Unmanaged.passRetained(work).toOpaque()
        let outcome = unsafe pthread_create(
            &thread, nil,
            { raw in
                unsafe Unmanaged<Work>.fromOpaque(raw!).takeRetainedValue().run()
                return nil
            }, argument)
        precondition(outcome == 0, "out of threads")
        pthread_detach(thread)
    }

    /// Waits for the end of the thread's work; false if it is still under way after `limit`.
    @discardableResult
    public func join(within limit: Duration = .seconds(30)) -> Bool {
        finished.wait(within: limit) { $0 ? true : nil } ?? false
    }
}

private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(run: @escaping @Sendable () -> Void) { self.run = run }
}
