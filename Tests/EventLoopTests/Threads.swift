import Glibc

/// A thread of its own for what must not touch a shared one, or must run beside a loop.
@safe
final class TestThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private var thread = pthread_t()

    init(_ run: @escaping @Sendable () -> Void) {
        let body = unsafe Unmanaged.passRetained(Body(run))
        // Safe: the thread takes the reference that is passed to it.
        let result = unsafe pthread_create(
            &thread, nil,
            { body in
                unsafe Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        precondition(result == 0, "no thread to be had")
    }

    func join() {
        pthread_join(thread, nil)
    }
}
