import Glibc

/// A value that threads change under a lock and wait on, with deadlines.
///
/// `@unchecked` and `@safe`: the value is touched only while the mutex is held.
@safe public final class Monitor<Value>: @unchecked Sendable {
    private var value: Value
    // Both are allocated once and freed in `deinit`, when no thread can be inside any more.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    public init(_ value: Value) {
        self.value = value
        var attributes = pthread_condattr_t()
        // The three objects live for the whole of their use, at fixed addresses.
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Reads the value.
    public func read<Result>(_ body: (Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body(value)
    }

    /// Changes the value and wakes everyone who waits on it.
    @discardableResult
    public func update<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Waits until `probe` answers; nil when `limit` has passed first.
    public func wait<Result>(within limit: Duration, for probe: (inout Value) -> Result?) -> Result? {
        var until = timespec()
        // Pointer to a local.
        unsafe clock_gettime(CLOCK_MONOTONIC, &until)
        let parts = limit.components
        until.tv_sec += Int(parts.seconds)
        until.tv_nsec += Int(parts.attoseconds / 1_000_000_000)
        if until.tv_nsec >= 1_000_000_000 {
            until.tv_nsec -= 1_000_000_000
            until.tv_sec += 1
        }
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let answer = probe(&value) { return answer }
            // The mutex is held, as the call demands.
            if unsafe pthread_cond_timedwait(condition, mutex, &until) != 0 { return probe(&value) }
        }
    }
}
