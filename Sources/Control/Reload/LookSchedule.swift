/// When to look at the files again; times in milliseconds of one monotonic clock. Pure.
///
/// A change is looked at once its writer has paused, for files are written one after the other; and what was flawed is
/// looked at again by and by, for not every file system tells of changes.
struct LookSchedule {
    /// When to look next.
    private(set) var dueAt: Int64
    private var changedSince: Int64?
    private var retryMilliseconds = firstRetryMilliseconds

    init(now: Int64) { dueAt = now + Self.regularMilliseconds }

    /// Something has changed.
    mutating func changed(now: Int64) {
        let since = changedSince ?? now
        changedSince = since
        dueAt = min(now + Self.pauseMilliseconds, since + Self.patienceMilliseconds)
    }

    /// A look is wanted at once.
    mutating func forced(now: Int64) { dueAt = now }

    /// The files were looked at.
    mutating func looked(now: Int64, isSound: Bool) {
        changedSince = nil
        if isSound {
            retryMilliseconds = Self.firstRetryMilliseconds
            dueAt = now + Self.regularMilliseconds
        } else {
            dueAt = now + retryMilliseconds
            retryMilliseconds = min(retryMilliseconds * 2, Self.lastRetryMilliseconds)
        }
    }

    private static let pauseMilliseconds: Int64 = 50
    private static let patienceMilliseconds: Int64 = 1_000
    private static let firstRetryMilliseconds: Int64 = 1_000
    private static let lastRetryMilliseconds: Int64 = 60_000
    private static let regularMilliseconds: Int64 = 300_000
}
