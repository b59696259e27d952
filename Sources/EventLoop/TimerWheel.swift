import Glibc

/// One deadline for each slot of a table, in a hashed wheel: setting, moving and cancelling take constant time.
///
/// A timer fires at the first ``popExpired(now:)`` at or after its deadline, at most one tick of the wheel late, and
/// never early. Times are nanoseconds of one monotonic clock.
@safe
public struct TimerWheel: ~Copyable {
    private struct Link {
        var next: Int32
        var previous: Int32
        /// The tick to fire at plus one; 0 where no timer is set, so that zeroed memory is a wheel without timers.
        var tickPlusOne: UInt64
    }

    private let links: UnsafeMutablePointer<Link>
    private let heads: UnsafeMutablePointer<Int32>
    private let capacity: Int
    /// A lower bound of the next timer's tick: earlier buckets are skipped. Too low after a cancel or a move.
    private var earliest = UInt64.max
    private var armed = 0

    /// A wheel for slots 0..<capacity. Memory of slots that are never used is never touched.
    public init(capacity: Int) {
        // Safe: zeroed links are unset timers; calloc of nothing but integers.
        let memory = unsafe calloc(capacity, MemoryLayout<Link>.stride)
        guard let memory = unsafe memory else { preconditionFailure("no memory for the timer wheel") }
        unsafe links = memory.bindMemory(to: Link.self, capacity: capacity)
        unsafe heads = .allocate(capacity: Self.buckets)
        unsafe heads.initialize(repeating: Self.none, count: Self.buckets)
        self.capacity = capacity
    }

    deinit {
        unsafe free(links)
        unsafe heads.deallocate()
    }

    /// Sets or moves the slot's timer.
    public mutating func set(_ slot: Int32, deadline: UInt64) {
        cancel(slot)
        let roundedUp = deadline / Self.tickNanoseconds + (deadline % Self.tickNanoseconds == 0 ? 0 : 1)
        let tick = min(roundedUp, Self.lastTick)
        let bucket = Self.bucket(tick)
        // Safe: `cancel` checked the slot; heads and links hold -1 or slots.
        let head = unsafe heads[bucket]
        unsafe links[Int(slot)] = Link(next: head, previous: Self.none, tickPlusOne: tick + 1)
        if head >= 0 { unsafe links[Int(head)].previous = slot }
        unsafe heads[bucket] = slot
        armed += 1
        earliest = min(earliest, tick)
    }

    /// Cancels the slot's timer, if there is one.
    public mutating func cancel(_ slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity, "a timer for no slot")
        // Safe: the slot is checked; links hold -1 or slots.
        let link = unsafe links[Int(slot)]
        guard link.tickPlusOne > 0 else { return }
        if link.previous >= 0 {
            unsafe links[Int(link.previous)].next = link.next
        } else {
            unsafe heads[Self.bucket(link.tickPlusOne - 1)] = link.next
        }
        if link.next >= 0 { unsafe links[Int(link.next)].previous = link.previous }
        unsafe links[Int(slot)].tickPlusOne = 0
        armed -= 1
    }

    /// Removes one expired timer and returns its slot; nil if none is left.
    @inline(__always)
    public mutating func popExpired(now: UInt64) -> Int32? {
        let nowTick = now / Self.tickNanoseconds
        return earliest <= nowTick ? popDue(nowTick) : nil
    }

    /// Nanoseconds until a timer may fire, at most `limit`. Call it once ``popExpired(now:)`` has returned nil.
    ///
    /// A timer that was moved or cancelled may cause one spurious wake-up.
    public func nanosecondsUntilNext(now: UInt64, limit: UInt64) -> UInt64 {
        guard armed > 0 else { return limit }
        let fires = earliest * Self.tickNanoseconds
        return fires > now ? min(fires - now, limit) : 0
    }

    private mutating func popDue(_ nowTick: UInt64) -> Int32? {
        // More than a turn behind: one turn sees every bucket.
        let turn = UInt64(Self.buckets)
        if armed > 0, nowTick - earliest >= turn { earliest = nowTick - (turn - 1) }
        while armed > 0, earliest <= nowTick {
            // Safe: the bucket is within the wheel; links hold -1 or slots.
            var slot = unsafe heads[Self.bucket(earliest)]
            while slot >= 0 {
                let link = unsafe links[Int(slot)]
                if link.tickPlusOne - 1 <= nowTick {
                    cancel(slot)
                    return slot
                }
                slot = link.next
            }
            earliest += 1
        }
        earliest = firstTick(after: nowTick)
        return nil
    }

    /// The tick of the next timer, provided that none is due before; `.max` if there is none.
    private func firstTick(after nowTick: UInt64) -> UInt64 {
        var first = UInt64.max
        guard armed > 0 else { return first }
        for tick in nowTick + 1...nowTick + UInt64(Self.buckets) {
            // Safe: as above.
            var slot = unsafe heads[Self.bucket(tick)]
            while slot >= 0 {
                let link = unsafe links[Int(slot)]
                // Of this turn of the wheel: whatever is seen later fires later.
                if link.tickPlusOne - 1 == tick { return tick }
                first = min(first, link.tickPlusOne - 1)
                slot = link.next
            }
        }
        return first
    }

    private static func bucket(_ tick: UInt64) -> Int { Int(tick % UInt64(buckets)) }

    /// The resolution: how far apart deadlines must be to fire apart.
    public static var tickNanoseconds: UInt64 { 16_777_216 }
    /// The last tick whose nanoseconds fit into 64 bits.
    private static var lastTick: UInt64 { UInt64.max / tickNanoseconds }
    private static let buckets = 1024
    private static let none: Int32 = -1
}
