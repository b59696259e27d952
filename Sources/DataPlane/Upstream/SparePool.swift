import EventLoop

/// The connections of one outbound route that have shaken hands and wait for an application. Pure; times are monotonic
/// nanoseconds.
///
/// It holds as many as were wanted lately: twice as many after an application found none, half as many after a minute
/// in which fewer would have done.
struct SparePool {
    /// The most that are kept; 0: none.
    var limit = 0 {
        didSet { wanted = limit == 0 ? 0 : min(max(wanted, 1), limit) }
    }
    /// Those that wait, the oldest first. One may have ended meanwhile.
    private(set) var ready: [OperationToken] = []
    /// Those that are being connected or shake hands.
    private var opening = 0
    private var wanted = 0
    /// The fewest that were left over since then.
    private var leftOver = Int.max
    private var leftOverSince: UInt64 = 0
    /// None is opened before that: the last one failed.
    private(set) var pausedUntil: UInt64 = 0
    private var pauseNanoseconds = firstPauseNanoseconds

    init(limit: Int) {
        self.limit = limit
        wanted = min(1, limit)
    }

    /// Whether more wait than are kept, after the limit was lowered.
    var isOverfull: Bool { ready.count > limit }

    /// How many to open now.
    mutating func missing(now: UInt64) -> Int {
        shrink(now: now)
        guard limit > 0, now >= pausedUntil else { return 0 }
        return max(0, wanted - ready.count - opening)
    }

    /// When ``missing(now:)`` may answer otherwise although nothing happens.
    var nextLookAt: UInt64 {
        guard limit > 0 else { return .max }
        return wanted > ready.count + opening ? pausedUntil : .max
    }

    mutating func opens() { opening += 1 }

    /// One has shaken hands.
    mutating func opened(_ token: OperationToken) {
        opening -= 1
        ready.append(token)
        pauseNanoseconds = Self.firstPauseNanoseconds
    }

    /// One that was being opened has failed.
    mutating func failed(now: UInt64) {
        opening -= 1
        pausedUntil = now + pauseNanoseconds
        pauseNanoseconds = min(pauseNanoseconds * 2, Self.longestPauseNanoseconds)
    }

    /// The one for an application that has come, the newest; nil if there is none.
    mutating func take(now: UInt64) -> OperationToken? {
        guard limit > 0 else { return nil }
        guard let token = ready.popLast() else {
            wanted = min(max(1, wanted * 2), limit)
            leftOver = 0
            return nil
        }
        leftOver = min(leftOver, ready.count)
        return token
    }

    /// One that waited has ended.
    mutating func remove(_ token: OperationToken) { ready.removeAll { $0 == token } }

    private mutating func shrink(now: UInt64) {
        guard now >= leftOverSince + Self.shrinkNanoseconds else { return }
        if leftOver > 0, leftOverSince > 0 { wanted = max(min(1, limit), wanted - (min(leftOver, wanted) + 1) / 2) }
        leftOver = .max
        leftOverSince = now
    }

    private static let shrinkNanoseconds: UInt64 = 60_000_000_000
    private static let firstPauseNanoseconds: UInt64 = 1_000_000_000
    private static let longestPauseNanoseconds: UInt64 = 30_000_000_000
}
