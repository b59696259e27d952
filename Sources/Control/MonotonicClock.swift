import Glibc

/// The clock that is never set.
enum MonotonicClock {
    static func milliseconds() -> Int64 {
        var now = timespec()
        // CLOCK_MONOTONIC always exists; the call fills `now`, which outlives it.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000 + Int64(now.tv_nsec) / 1_000_000
    }
}

/// The clock that certificates go by.
enum WallClock {
    /// Unix seconds.
    static func seconds() -> Int64 { Int64(time(nil)) }
}
