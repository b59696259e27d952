import Glibc

/// The clock that is never set. Any thread.
public enum MonotonicClock {
    public static func nanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    public static func milliseconds() -> Int64 { nanoseconds() / 1_000_000 }
}

/// The clock that certificates go by, from 1970 on. Any thread.
public enum WallClock {
    public static func nanoseconds() -> Int64 { read(CLOCK_REALTIME) }

    public static func seconds() -> Int64 { nanoseconds() / 1_000_000_000 }
}

private func read(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    // The kernel fills `now`, which outlives the call; both clocks always exist.
    _ = unsafe clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
