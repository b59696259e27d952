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
    /// Every tick before this one has been looked at.
    private var cursor: UInt64
    private var armed = 0

    /// A wheel for slots 0..<capacity. Memory of slots that are never used is never touched.
    public init(capacity: Int, now: UInt64) {
        // Safe: zeroed links are unset timers; calloc of nothing but integers.
        let memory = unsafe calloc(capacity, MemoryLayout<Link>.stride)
        guard let memory = unsafe memory else { preconditionFailure("no memory for the timer wheel") }
        unsafe links = memory.bindMemory(to: Link.self, capacity: capacity)
        unsafe heads = .allocate(capacity: Self.buckets)
        unsafe heads.initialize(repeating: Self.none, count: Self.buckets)
        self.capacity = capacity
        cursor = now / Self.tickNanoseconds
    }

    deinit {
        unsafe free(links)
        unsafe heads.deallocate()
    }

    /// Sets or moves the slot's timer.
    public mutating func set(_ slot: Int32, deadline: UInt64) {
        cancel(slot)
        let tick = max((deadline &+ (Self.tickNanoseconds - 1)) / Self.tickNanoseconds, cursor)
        let bucket = Int(tick % UInt64(Self.buckets))
        // Safe: `cancel` checked the slot; heads and links hold -1 or slots.
        let head = unsafe heads[bucket]
        unsafe links[Int(slot)] = Link(next: head, previous: Self.none, tickPlusOne: tick + 1)
        if head >= 0 { unsafe links[Int(head)].previous = slot }
        unsafe heads[bucket] = slot
        armed += 1
    }

    /// Takes the slot's timer away, if there is one.
    public mutating func cancel(_ slot: Int32) {
        precondition(slot >= 0 && Int(slot) < capacity, "a timer for no slot")
        // Safe: the slot is checked; links hold -1 or slots.
        let link = unsafe links[Int(slot)]
        guard link.tickPlusOne > 0 else { return }
        if link.previous >= 0 {
            unsafe links[Int(link.previous)].next = link.next
        } else {
            unsafe heads[Int((link.tickPlusOne - 1) % UInt64(Self.buckets))] = link.next
        }
        if link.next >= 0 { unsafe links[Int(link.next)].previous = link.previous }
        unsafe links[Int(slot)].tickPlusOne = 0
        armed -= 1
    }

    /// Takes one expired timer out and names its slot; nil once none is left.
    public mutating func popExpired(now: UInt64) -> Int32? {
        let nowTick = now / Self.tickNanoseconds
        guard armed > 0 else {
            cursor = max(cursor, nowTick)
            return nil
        }
        // After a long pause one turn of the wheel sees every bucket.
        if nowTick > cursor + UInt64(Self.buckets) { cursor = nowTick - UInt64(Self.buckets) }
        while cursor <= nowTick {
            // Safe: the bucket is within the wheel; links hold -1 or slots.
            var slot = unsafe heads[Int(cursor % UInt64(Self.buckets))]
            while slot >= 0 {
                let link = unsafe links[Int(slot)]
                if link.tickPlusOne - 1 <= nowTick {
                    cancel(slot)
                    return slot
                }
                slot = link.next
            }
            if cursor == nowTick { break }
            cursor += 1
        }
        return nil
    }

    /// Nanoseconds until a timer may fire, at most `limit`; a timer of a later turn of the wheel may cause a vain wake.
    public func nanosecondsUntilNext(now: UInt64, limit: UInt64) -> UInt64 {
        guard armed > 0 else { return limit }
        let last = (now + limit) / Self.tickNanoseconds
        var tick = cursor
        while tick <= last, tick < cursor + UInt64(Self.buckets) {
            // Safe: the bucket is within the wheel.
            if unsafe heads[Int(tick % UInt64(Self.buckets))] >= 0 {
                let fires = tick * Self.tickNanoseconds
                return fires > now ? min(fires - now, limit) : 0
            }
            tick += 1
        }
        return limit
    }

    /// How far apart deadlines must be to fire apart.
    public static var tickNanoseconds: UInt64 { 16_777_216 }
    private static let buckets = 1024
    private static let none: Int32 = -1
}
