/// When to reload the files next. Pure; times are monotonic milliseconds.
///
/// A change is debounced, because files are written one after the other. Flawed files are retried with backoff, because
/// not every file system reports changes.
package struct ReloadSchedule {
    /// When the next reload is due.
    package private(set) var dueAt: Int64
    private var changedSince: Int64?
    private var retryMilliseconds = firstRetryMilliseconds

    package init(now: Int64) { dueAt = now + Self.regularMilliseconds }

    /// A watched file changed.
    package mutating func changed(now: Int64) {
        let since = changedSince ?? now
        changedSince = since
        dueAt = min(now + Self.pauseMilliseconds, since + Self.patienceMilliseconds)
    }

    /// Makes a reload due at once.
    package mutating func forced(now: Int64) { dueAt = now }

    /// The files have been read.
    package mutating func looked(now: Int64, isSound: Bool) {
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
