import Synchronization

/// How the dials of a worker ended; other threads may read it at any time.
public final class DialCounts: Sendable {
    private let connectedCount = Atomic<UInt64>(0)
    private let failedCount = Atomic<UInt64>(0)
    private let timedOutCount = Atomic<UInt64>(0)
    private let handshakeFailedCount = Atomic<UInt64>(0)
    private let overtakenCount = Atomic<UInt64>(0)

    public init() {}

    public var connected: UInt64 { connectedCount.load(ordering: .relaxed) }
    public var failed: UInt64 { failedCount.load(ordering: .relaxed) }
    public var timedOut: UInt64 { timedOutCount.load(ordering: .relaxed) }
    /// Connected, and the handshake failed: they count among the connected ones, too.
    public var handshakeFailed: UInt64 { handshakeFailedCount.load(ordering: .relaxed) }

    /// Given up because the other family's connect was complete before it.
    public var overtaken: UInt64 { overtakenCount.load(ordering: .relaxed) }

    func count(_ outcome: Dialling.Outcome) {
        switch outcome {
        case .connected: connectedCount.add(1, ordering: .relaxed)
        case .failed: failedCount.add(1, ordering: .relaxed)
        case .timedOut: timedOutCount.add(1, ordering: .relaxed)
        case .handshakeFailed: handshakeFailedCount.add(1, ordering: .relaxed)
        case .overtaken: overtakenCount.add(1, ordering: .relaxed)
        }
    }
}
