import CLibEvent
import Glibc

/// A thread of the operating system.
public struct PosixThread: ~Copyable {
    private let handle: pthread_t

    /// Runs `body` on a new thread; `name` is cut to the 15 bytes that the kernel keeps.
    public static func spawn(
        name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ControlFault) -> PosixThread {
        var handle = pthread_t()
        let box = Box(name: String(name.prefix(15)), body: body)
        let passed = unsafe Unmanaged.passRetained(box)
        // `passed` keeps the box alive until the thread takes that reference over; `handle` is written by the call.
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                let box = unsafe Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), box.name)
                box.body()
                return nil
            }, passed.toOpaque())
        guard status == 0 else {
            unsafe passed.release()
            throw .system(what: "cannot start thread \(name)", errno: status)
        }
        return PosixThread(handle: handle)
    }

    /// Waits for the thread's end.
    public consuming func join() {
        // Joined or detached exactly once: the value is consumed here, and its deinit does not run.
        pthread_join(handle, nil)
        discard self
    }

    deinit { pthread_detach(handle) }

    private init(handle: pthread_t) { self.handle = handle }

    private final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
