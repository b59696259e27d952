import EventLoop
import Testing

@testable import DataPlane

@Suite("The pool of spare connections")
struct SparePoolTests {
    private let second: UInt64 = 1_000_000_000

    @Test("it follows its use between one and its limit")
    func size() {
        var pool = SparePool(limit: 6)
        var now = 100 * second
        #expect(fill(&pool, now: now) == 1)
        #expect(pool.take(now: now) != nil)
        #expect(fill(&pool, now: now) == 1)
        for wanted in [2, 4, 6, 6] {
            while pool.take(now: now) != nil {}
            #expect(fill(&pool, now: now) == wanted)
        }
        // A minute with use, and then some without.
        for wanted in [6, 3, 1, 1] {
            now += 61 * second
            _ = pool.missing(now: now)
            let waiting = pool.ready
            #expect(waiting.count >= wanted)
            for token in waiting { pool.remove(token) }
            #expect(fill(&pool, now: now) == wanted)
        }
    }

    @Test("after a failure it waits, longer each time")
    func failures() {
        var pool = SparePool(limit: 1)
        var now = 100 * second
        for wait in [1, 2, 4, 8, 16, 30, 30] as [UInt64] {
            #expect(pool.missing(now: now) == 1)
            pool.opens()
            #expect(pool.missing(now: now) == 0)
            pool.failed(now: now)
            #expect(pool.missing(now: now) == 0)
            #expect(pool.nextLookAt == now + wait * second)
            now = pool.nextLookAt
        }
        #expect(fill(&pool, now: now) == 1)
    }

    @Test("without a limit it holds none, and one that has ended is not given out")
    func none() {
        var pool = SparePool(limit: 0)
        #expect(pool.missing(now: 1) == 0 && pool.nextLookAt == .max)
        let isEmpty = pool.take(now: 1) == nil
        #expect(isEmpty)
        pool.limit = 2
        #expect(fill(&pool, now: 1) == 1)
        pool.remove(token(0))
        let isGone = pool.take(now: 1) == nil
        #expect(isGone)
    }

    private func token(_ slot: UInt32) -> OperationToken {
        OperationToken(operation: 1, generation: 0, slot: slot)
    }

    /// Opens what is missing; returns how many.
    private func fill(_ pool: inout SparePool, now: UInt64) -> Int {
        let missing = pool.missing(now: now)
        for slot in 0..<UInt32(missing) {
            pool.opens()
            pool.opened(token(slot))
        }
        return missing
    }
}
