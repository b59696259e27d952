/// What a group knows of one endpoint. Pure; times are monotonic nanoseconds.
struct EndpointState: Sendable {
    enum Health: Hashable, Sendable {
        case serving
        /// No connection is given to it until then; with checks, until one passes after that.
        case ejected(until: UInt64)
        /// Its ejection is over: one connection at a time tries it.
        case onTrial(isUnderway: Bool)
        /// It has returned, and gets a share that grows.
        case warming(since: UInt64)

        var isEjected: Bool { if case .ejected = self { true } else { false } }
    }

    var member: Member
    var isListed = true
    /// Whether the next connection may be given to it.
    var isActive = false
    /// Open ones, and those that are being dialled.
    var connections = 0
    var health = Health.serving
    /// Failures since the last success.
    var failures = 0
    private(set) var lastFailureAt: UInt64 = 0
    /// Ejections that followed one another closely.
    var ejections = 0
    /// When it last returned from an ejection, and how long that was.
    var returnedAt: UInt64 = 0
    var lastEjectionNanoseconds: UInt64 = 0
    /// The average time to connect as of `averageAt`; it fades, so that an endpoint that was slow is tried again.
    private var averageNanoseconds: UInt64 = 0
    private var averageAt: UInt64 = 0

    init(_ member: Member) { self.member = member }

    /// Whether the slot may be given to another endpoint.
    func isOver(now: UInt64) -> Bool {
        guard !isListed, connections == 0 else { return false }
        if case .ejected(let until) = health { return until <= now }
        return true
    }

    /// Whether it failed so lately that any other is better.
    func isSuspect(now: UInt64) -> Bool {
        failures > 0 && now < lastFailureAt + Self.suspicionNanoseconds * UInt64(min(failures, 10))
    }

    /// The less, the better.
    func score(now: UInt64, warmUpNanoseconds: UInt64) -> Double {
        let time = Double(Self.baseNanoseconds + connectTime(now: now))
        return Double(connections + 1) * time / (Double(member.weight) * warmth(now: now, warmUpNanoseconds))
    }

    /// The share that it may have: 1, or less while it warms up.
    func warmth(now: UInt64, _ warmUpNanoseconds: UInt64) -> Double {
        guard case .warming(let since) = health, warmUpNanoseconds > 0 else { return 1 }
        return min(1, max(Self.coldest, Double(now - min(since, now)) / Double(warmUpNanoseconds)))
    }

    /// The faded average time to connect.
    func connectTime(now: UInt64) -> UInt64 {
        let age = now - min(averageAt, now)
        let halvings = age / Self.halfLifeNanoseconds
        guard halvings < 40 else { return 0 }
        let value = averageNanoseconds >> halvings
        // Between two halvings it falls in a straight line.
        return value - value / 2 * (age % Self.halfLifeNanoseconds / 1_000) / (Self.halfLifeNanoseconds / 1_000)
    }

    mutating func connected(after nanoseconds: UInt64, now: UInt64) {
        let sample = min(nanoseconds, Self.slowestNanoseconds)
        let average = connectTime(now: now)
        averageNanoseconds = averageAt == 0 ? sample : (3 * average + sample) / 4
        averageAt = now
    }

    mutating func failed(now: UInt64) {
        failures += 1
        lastFailureAt = now
        averageNanoseconds = Self.slowestNanoseconds
        averageAt = now
    }

    /// Added to each time to connect, so that differences within a network do not matter much.
    private static let baseNanoseconds: UInt64 = 5_000_000
    /// More makes no difference: one lost packet must not keep connections away for long.
    private static let slowestNanoseconds: UInt64 = 100_000_000
    private static let halfLifeNanoseconds: UInt64 = 3_000_000_000
    private static let suspicionNanoseconds: UInt64 = 1_000_000_000
    private static let coldest = 0.1
}
