/// When to retry a Workload API call after its end (SPIFFE Workload API 4.3). Pure: chance is passed in.
public struct WorkloadRetry: Hashable, Sendable {
    public enum Decision: Hashable, Sendable {
        /// Reconnect and call again after this delay.
        case again(afterMilliseconds: Int64)
        /// The server does not know the call, or rejects it as invalid: a retry would not help.
        case never
        /// As `again`; and what the server gave before must no longer be used.
        case withdrawAndAgain(afterMilliseconds: Int64)
    }

    private var waitMilliseconds = firstWaitMilliseconds
    private var hasData = false

    public init() {}

    /// A valid message has arrived.
    public mutating func messageCame() {
        waitMilliseconds = Self.firstWaitMilliseconds
        hasData = true
    }

    /// Decides on a retry after the call has ended.
    ///
    /// - Parameters:
    ///   - status: gRPC's; nil if the connection failed.
    ///   - chance: jitter from 0 to 1, so that workloads do not reconnect all at once.
    public mutating func ended(status: Int?, chance: Double) -> Decision {
        switch status {
        case Self.invalidArgument, Self.unimplemented: return .never
        case Self.permissionDenied where hasData:
            hasData = false
            return .withdrawAndAgain(afterMilliseconds: nextWait(chance))
        default: return .again(afterMilliseconds: nextWait(chance))
        }
    }

    private mutating func nextWait(_ chance: Double) -> Int64 {
        let wait = waitMilliseconds
        waitMilliseconds = min(wait * 2, Self.lastWaitMilliseconds)
        return wait / 2 + Int64(Double(wait) / 2 * min(max(chance, 0), 1))
    }

    private static let firstWaitMilliseconds: Int64 = 1_000
    private static let lastWaitMilliseconds: Int64 = 30_000
    private static let invalidArgument = 3
    private static let permissionDenied = 7
    private static let unimplemented = 12
}
