/// A moment on the monotonic clock by which something must have happened.
public struct Deadline: Sendable {
    public let instant: ContinuousClock.Instant

    public static func within(_ duration: Duration) -> Deadline {
        Deadline(instant: ContinuousClock.now + duration)
    }

    public var hasPassed: Bool { ContinuousClock.now >= instant }

    /// What is left, at least 0.
    public var remainingNanoseconds: Int64 {
        let left = (instant - ContinuousClock.now).components
        return max(0, left.seconds * 1_000_000_000 + left.attoseconds / 1_000_000_000)
    }

    /// What is left, rounded up to a millisecond: the timeout of `poll`.
    public var remainingMilliseconds: Int32 { Int32(clamping: (remainingNanoseconds + 999_999) / 1_000_000) }
}
