public import Glibc

/// The monotonic clock, which is never set. Any thread.
public enum MonotonicClock {
    @inlinable
    public static func nanoseconds() -> Int64 { System.nanoseconds(of: CLOCK_MONOTONIC) }

    public static func milliseconds() -> Int64 { nanoseconds() / 1_000_000 }
}

/// The wall clock, in Unix time, which certificate validity is checked against. Any thread.
public enum WallClock {
    @inlinable
    public static func nanoseconds() -> Int64 { System.nanoseconds(of: CLOCK_REALTIME) }

    public static func seconds() -> Int64 { nanoseconds() / 1_000_000_000 }
}

@inlinable
func nanoseconds(of clock: clockid_t) -> Int64 {
    var now = timespec()
    // The kernel fills `now`, which outlives the call; both clocks always exist.
    _ = unsafe clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
