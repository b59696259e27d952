import Testing

@testable import Control

@Suite("A value that changes many times a second")
struct CoalescedTests {
    @Test("is delivered at intervals, in its latest state, and not at all if that is in use already")
    func coalesced() {
        var coalesced = Coalesced<Int>(intervalMilliseconds: 500)
        #expect(coalesced.take(now: 0) == nil && coalesced.dueAt == nil)
        coalesced.put(1)
        // Whoever waits until then takes one from the other.
        #expect(coalesced.dueAt == 0)
        #expect(coalesced.take(now: 0) == 1)
        for number in 2...1_000 { coalesced.put(number) }
        #expect(coalesced.take(now: 499) == nil && coalesced.dueAt == 500)
        #expect(coalesced.take(now: 500) == 1_000)
        coalesced.put(1_000)
        #expect(coalesced.dueAt == nil)
        // Back to what is in use: nothing is left to do.
        coalesced.put(7)
        coalesced.put(1_000)
        #expect(coalesced.take(now: 2_000) == nil)
        coalesced.forget()
        coalesced.put(1_000)
        #expect(coalesced.take(now: 2_000) == 1_000)
        coalesced.put(8)
        coalesced.clear()
        #expect(coalesced.take(now: 9_000) == nil)
        coalesced.put(1_000)
        #expect(coalesced.take(now: 9_000) == 1_000)
    }
}
