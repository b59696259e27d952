/// What is known of one name, and when to look it up again. Pure; times are monotonic milliseconds.
///
/// A failed or empty answer changes no address: the last good one stays in use for as long as it takes.
///
/// An answer may name only a part of the addresses, and another part each time. Where none may be missed, an address
/// that answers leave out is kept for a while; where they become too many to keep, there is none, rather than a part.
public struct NameState: Sendable {
    /// What an answer changes.
    public enum Change: Hashable, Sendable {
        case nothing
        /// It names no address that can be used, or too many, and that was not known.
        case failing
        /// The addresses are others.
        case addresses
        /// The same addresses, after lookups that failed.
        case recovered
    }

    /// In use; empty until there is a good answer.
    public private(set) var addresses: [ResolvedAddress] = []
    /// When the next lookup is due.
    public private(set) var dueAt: Int64
    /// Whether a lookup has ended.
    public private(set) var isSettled = false
    /// Why lookups fail; nil while they do not.
    public private(set) var failure: String?
    private var retryMilliseconds = firstRetryMilliseconds
    private let keepsMilliseconds: Int64
    /// Until when each address is kept: for ever while answers name it. Empty where none is kept.
    private var kept: [ResolvedAddress: Int64] = [:]
    /// There were too many: until then an answer may name a part of them, and is not believed.
    private var tooManyUntil: Int64 = 0

    /// - Parameter keepsMilliseconds: how long an address is kept after the first answer that leaves it out; 0: not at
    ///   all.
    public init(now: Int64, keepsMilliseconds: Int64 = 0) {
        dueAt = now
        self.keepsMilliseconds = keepsMilliseconds
    }

    /// A lookup found something.
    ///
    /// - Parameters:
    ///   - every: the longest time until the next lookup.
    ///   - chance: from 0 to 1, so that many proxies do not ask at the same time.
    public mutating func answered(
        _ answer: NameAnswer, onlyFirst: Bool, every: Int64, now: Int64, chance: Double
    ) -> Change {
        isSettled = true
        var next = answer.usable(onlyFirst: onlyFirst, keeping: addresses)
        if keepsMilliseconds > 0 {
            keep(answer, now: now)
            if kept.count > Self.keptAtMost { (kept, tooManyUntil) = ([:], now + keepsMilliseconds) }
            guard now >= tooManyUntil else {
                addresses = []
                let isNew = failed(
                    "it has more than \(Self.keptAtMost) addresses", every: every, now: now, chance: chance)
                return isNew ? .failing : .nothing
            }
            if !next.isEmpty { next = NameAnswer(addresses: next + kept.keys, ttlSeconds: 0).ordered() }
        }
        guard !next.isEmpty else {
            let isNew = failed("the answer has no address that can be used", every: every, now: now, chance: chance)
            return isNew ? .failing : .nothing
        }
        let wasFailing = failure != nil
        failure = nil
        retryMilliseconds = Self.firstRetryMilliseconds
        let ttl = min(max(Int64(clamping: answer.ttlSeconds), 1), 86_400) * 1_000
        dueAt = now + Self.spread(min(ttl, every), chance)
        guard next != addresses else { return wasFailing ? .recovered : .nothing }
        addresses = next
        return .addresses
    }

    /// A lookup failed, or found nothing. Whether that is to be reported: it was not known.
    public mutating func failed(_ reason: String, every: Int64, now: Int64, chance: Double) -> Bool {
        isSettled = true
        dueAt = now + Self.spread(min(retryMilliseconds, every), chance)
        retryMilliseconds = min(retryMilliseconds * 2, Self.lastRetryMilliseconds)
        defer { failure = reason }
        return failure != reason
    }

    private mutating func keep(_ answer: NameAnswer, now: Int64) {
        let named = Set(answer.addresses.filter(\.isUsable))
        // An empty answer leaves nothing out.
        guard !named.isEmpty else { return }
        for address in kept.keys where !named.contains(address) && kept[address] == .max {
            kept[address] = now + keepsMilliseconds
        }
        for address in named { kept[address] = .max }
        kept = kept.filter { now < $0.value }
    }

    /// Nine to ten tenths of a time.
    private static func spread(_ milliseconds: Int64, _ chance: Double) -> Int64 {
        max(milliseconds - Int64(Double(milliseconds / 10) * chance), 1)
    }

    /// Those that answers left out among them.
    static let keptAtMost = 1_024
    private static let firstRetryMilliseconds: Int64 = 1_000
    private static let lastRetryMilliseconds: Int64 = 30_000
}
