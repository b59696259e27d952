import Glibc

/// The system's clocks, in nanoseconds.
enum Clocks {
    static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Safe: the kernel fills the local structure; these clocks always exist.
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
