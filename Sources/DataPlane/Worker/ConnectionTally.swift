import Synchronization
public import Telemetry

/// What has become of a worker's connections, counted as each ends, whether it is logged or not. The worker counts, and
/// the control thread adds the tallies of all workers up when somebody asks; neither waits longer than for a copy.
public final class ConnectionTally: Sendable {
    private let totals = Mutex(ConnectionTotals())

    public init() {}

    /// The worker's thread, once for each connection.
    func count(_ record: borrowing AccessRecord) { totals.withLock { $0.count(record) } }

    /// The worker's thread, for connections that were accepted.
    func open(_ count: UInt64, listener: String) { totals.withLock { $0.open(count, listener: listener) } }

    /// The worker's thread, when connections were opened or have ended.
    func publish(active: some Sequence<(listener: String, count: Int)>) {
        totals.withLock { totals in
            totals.active.removeAll(keepingCapacity: true)
            for (listener, count) in active { totals.active[listener, default: 0] += count }
        }
    }

    public func add(to sum: inout ConnectionTotals) {
        let copy = totals.withLock { $0 }
        sum.add(copy)
    }
}

/// Counts of connections by what the settings name, and by reasons and codes of ours; never by what a client sends.
public struct ConnectionTotals: Sendable {
    public struct Close: Hashable, Sendable {
        public let listener: String
        public let reason: String
    }

    public struct Handshake: Hashable, Sendable {
        public let listener: String
        /// `full` or `resumed`; of a failed one `full`.
        public let kind: String
        /// `ok` or `failed`.
        public let result: String
        /// Of a failed one; else empty.
        public let code: String
    }

    public struct Decision: Hashable, Sendable {
        public let listener: String
        public let route: String
        public let policy: String
        /// Empty where no rule matched.
        public let rule: String
        public let decision: String
    }

    public struct Place: Hashable, Sendable {
        public let listener: String
        public let route: String
    }

    public struct Bytes: Hashable, Sendable {
        public var toUpstream: UInt64 = 0
        public var fromUpstream: UInt64 = 0
    }

    /// Connections that are open, by listener.
    public var active: [String: Int] = [:]
    /// Connections that were accepted, by listener.
    public private(set) var opened: [String: UInt64] = [:]
    public private(set) var closed: [Close: UInt64] = [:]
    public private(set) var handshakes: [Handshake: UInt64] = [:]
    public private(set) var decisions: [Decision: UInt64] = [:]
    public private(set) var bytes: [Place: Bytes] = [:]
    public private(set) var handshakeTimes = TimeBuckets(Bounds.handshakes)
    public private(set) var connectionTimes = TimeBuckets(Bounds.connections)

    public init() {}

    mutating func open(_ count: UInt64, listener: String) { Self.add(count, to: &opened, listener) }

    mutating func count(_ record: borrowing AccessRecord) {
        Self.add(1, to: &closed, Close(listener: record.listener, reason: record.closeReason))
        connectionTimes.count(record.durationNanoseconds)
        if let nanoseconds = record.handshakeNanoseconds {
            handshakeTimes.count(nanoseconds)
            let kind = record.resumed == true ? "resumed" : "full"
            Self.add(1, to: &handshakes, Handshake(listener: record.listener, kind: kind, result: "ok", code: ""))
        } else if Self.handshakeFailures.contains(record.closeReason) {
            let code = record.closeCode ?? record.closeReason
            Self.add(
                1, to: &handshakes, Handshake(listener: record.listener, kind: "full", result: "failed", code: code))
        }
        if let decision = record.decision, let policy = record.policy {
            let key = Decision(
                listener: record.listener, route: record.route ?? "", policy: policy,
                rule: record.rule ?? "", decision: decision.rawValue)
            Self.add(1, to: &decisions, key)
        }
        if let route = record.route {
            let place = Place(listener: record.listener, route: route)
            guard bytes[place] != nil || bytes.count < Self.keysAtMost else { return }
            bytes[place, default: Bytes()].toUpstream &+= record.bytesToUpstream
            bytes[place, default: Bytes()].fromUpstream &+= record.bytesFromUpstream
        }
    }

    mutating func add(_ other: ConnectionTotals) {
        active.merge(other.active) { $0 + $1 }
        opened.merge(other.opened) { $0 &+ $1 }
        closed.merge(other.closed) { $0 &+ $1 }
        handshakes.merge(other.handshakes) { $0 &+ $1 }
        decisions.merge(other.decisions) { $0 &+ $1 }
        bytes.merge(other.bytes) {
            Bytes(toUpstream: $0.toUpstream &+ $1.toUpstream, fromUpstream: $0.fromUpstream &+ $1.fromUpstream)
        }
        handshakeTimes.add(other.handshakeTimes)
        connectionTimes.add(other.connectionTimes)
    }

    /// Settings that change for months name ever new things: what is new after that many is not counted apart.
    private static func add<Key: Hashable>(_ value: UInt64, to counts: inout [Key: UInt64], _ key: Key) {
        guard counts[key] != nil || counts.count < keysAtMost else { return }
        counts[key, default: 0] &+= value
    }

    private static let keysAtMost = 10_000
    private static let handshakeFailures: Set<String> = [
        CloseReason.certificateRefused.rawValue, CloseReason.handshakeFailed.rawValue,
        CloseReason.handshakeTimeout.rawValue,
    ]
}

/// Nanoseconds.
private enum Bounds {
    /// 0.5 ms to 5 s.
    static let handshakes: [UInt64] = [
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    ]
    .map { $0 * 1_000 }
    /// 10 ms to a day.
    static let connections: [UInt64] = [10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000]
        .map { $0 * 1_000_000 }
}
