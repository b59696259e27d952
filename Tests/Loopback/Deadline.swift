/// A moment on the monotonic clock by which something must have happened.
public struct Deadline: Sendable {
    public let instant: ContinuousClock.Instant

    public static func within(_ duration: Duration) -> Deadline {
        Deadline(instant: ContinuousClock.now + duration)
    }

    public var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What is left, rounded up to a millisecond, at least 0: the timeout of `poll` and `epoll_wait`.
    public var remainingMilliseconds: Int32 {
        let left = (instant - ContinuousClock.now).components
        guard left.seconds >= 0 else { return 0 }
        let milliseconds = left.seconds * 1000 + (left.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
        return Int32(clamping: max(0, milliseconds))
    }
}
