/// Decides when to poll a bundle endpoint and what to do with its responses. Pure: time and chance are passed in.
///
/// A failed poll keeps the last good bundle until it is stale; then the trust domain is no longer trusted.
public struct BundlePolling: Sendable {
    public enum Outcome: Hashable, Sendable {
        /// The same as before.
        case unchanged
        /// The response is a new bundle, now in use.
        case changed
        /// The response is older than the bundle in use, which stays.
        case refused(sequence: UInt64, current: UInt64)
    }

    /// DER of the authorities in use; nil before the first good poll, and when they have become stale.
    public private(set) var authorities: [[UInt8]]?
    /// When to poll next, in seconds of a monotonic clock.
    public private(set) var dueAt: Int64
    private var sequence: UInt64?
    private var intervalSeconds = defaultIntervalSeconds
    private var retrySeconds = firstRetrySeconds
    private var goodAt: Int64
    private let staleAfterSeconds: Int64

    /// - Parameter authorities: those known from another source, used until the first good poll.
    public init(now: Int64, staleAfterSeconds: Int64, authorities: [[UInt8]]? = nil) {
        self.staleAfterSeconds = staleAfterSeconds
        self.authorities = authorities
        dueAt = now
        goodAt = now
    }

    /// Handles a fetched document. `chance`, from 0 to 1, spreads polls over time.
    public mutating func answered(_ document: BundleDocument, now: Int64, chance: Double) -> Outcome {
        if let hint = document.refreshHintSeconds {
            intervalSeconds = min(max(hint, Self.shortestSeconds), Self.longestSeconds)
        }
        if let current = sequence, let offered = document.sequence, offered < current {
            failed(now: now)
            return .refused(sequence: offered, current: current)
        }
        retrySeconds = Self.firstRetrySeconds
        goodAt = now
        dueAt = now + intervalSeconds - Int64(Double(intervalSeconds) / 10 * min(max(chance, 0), 1))
        sequence = document.sequence ?? sequence
        guard document.authorities != authorities else { return .unchanged }
        authorities = document.authorities
        return .changed
    }

    /// Handles a failed poll.
    public mutating func failed(now: Int64) {
        dueAt = now + min(retrySeconds, intervalSeconds)
        retrySeconds = min(retrySeconds * 2, intervalSeconds)
    }

    /// Drops a stale bundle; true if it did.
    public mutating func checkAge(now: Int64) -> Bool {
        guard authorities != nil, now - goodAt > staleAfterSeconds else { return false }
        authorities = nil
        // With no bundle in use any sequence is accepted, so one that was once too high locks nobody out.
        sequence = nil
        return true
    }

    /// SPIFFE Trust Domain and Bundle 4.1.2: five minutes where the publisher does not say.
    public static let defaultIntervalSeconds: Int64 = 300
    private static let shortestSeconds: Int64 = 1
    private static let longestSeconds: Int64 = 86_400
    private static let firstRetrySeconds: Int64 = 1
}
