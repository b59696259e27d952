/// What one worker counts. A plain value of the worker's own thread; a reader elsewhere gets a copy.
public struct Counters: Hashable, Sendable {
    public var accepted: UInt64 = 0
    public var closed: UInt64 = 0
    /// Connections that policy or verification refused, by reason code.
    public var refused: [String: UInt64] = [:]
    /// Connections that audit mode let pass.
    public var wouldDeny: UInt64 = 0
    public var handshakes: UInt64 = 0
    public var handshakesResumed: UInt64 = 0
    public var bytesToUpstream: UInt64 = 0
    public var bytesFromUpstream: UInt64 = 0
    public var acceptPauses: UInt64 = 0
    public var accessRecordsDropped: UInt64 = 0

    public init() {}

    /// Connections that are open now.
    public var active: UInt64 { accepted - closed }

    public mutating func refuse(_ reason: String) { refused[reason, default: 0] += 1 }

    /// The sum over workers.
    public static func + (left: Counters, right: Counters) -> Counters {
        var sum = left
        sum.accepted += right.accepted
        sum.closed += right.closed
        sum.refused.merge(right.refused, uniquingKeysWith: +)
        sum.wouldDeny += right.wouldDeny
        sum.handshakes += right.handshakes
        sum.handshakesResumed += right.handshakesResumed
        sum.bytesToUpstream += right.bytesToUpstream
        sum.bytesFromUpstream += right.bytesFromUpstream
        sum.acceptPauses += right.acceptPauses
        sum.accessRecordsDropped += right.accessRecordsDropped
        return sum
    }
}
