import Glibc

/// A thread of the operating system. It is detached unless it is joined.
public struct PosixThread: ~Copyable, Sendable {
    private let handle: pthread_t

    /// Runs `body` on a new thread, which inherits the caller's signal mask.
    public init(_ body: @escaping @Sendable () -> Void) throws(ThreadFault) {
        var handle = pthread_t()
        let passed = unsafe Unmanaged.passRetained(Body(body))
        // `passed` keeps the body alive until the thread takes that reference over; `handle` is written by the call.
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, passed.toOpaque())
        guard status == 0 else {
            unsafe passed.release()
            throw ThreadFault(errno: status)
        }
        self.handle = handle
    }

    /// Waits for the thread's end.
    public consuming func join() {
        // Joined or detached exactly once: the value is consumed here, and its deinit does not run.
        pthread_join(handle, nil)
        discard self
    }

    deinit { pthread_detach(handle) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}

/// The system could not create a thread: usually EAGAIN.
public struct ThreadFault: Error, Hashable, Sendable {
    public let errno: Int32
}
