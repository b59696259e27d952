import Testing

@testable import DataPlane

@Suite("A drain's outbound listeners")
struct DrainStateTests {
    @Test("accept until nothing has been open for as long as the delay")
    func quiet() {
        var drain = Drain(now: 0, delay: 100, timeout: 1_000)
        func isIdle(at now: UInt64, _ connections: Int = 0) -> Bool {
            drain.becomesIdle(now: now, connections: connections)
        }
        #expect(!isIdle(at: 10))
        #expect(drain.idleAt == .max, "inbound listeners still accept")
        drain.acceptsInbound = false
        #expect(!isIdle(at: 100))
        #expect(drain.idleAt == 110)
        #expect(isIdle(at: 110))
        #expect(!isIdle(at: 111), "that was said")
        // A call, and another one 50 later.
        for start in [120, 170] as [UInt64] {
            #expect(!isIdle(at: start, 1))
            #expect(!isIdle(at: start + 1))
        }
        #expect(drain.idleAt == 271)
        #expect(!isIdle(at: 270))
        #expect(isIdle(at: 271))
    }

    @Test("close at once without a delay, and after the word that the application has ended")
    func atOnce() {
        for isAsked in [false, true] {
            var drain = Drain(now: 0, delay: isAsked ? 100 : 0, timeout: 1_000)
            drain.acceptsInbound = false
            if isAsked { drain.quiet = 0 }
            let (busy, idle) = (drain.becomesIdle(now: 5, connections: 1), drain.becomesIdle(now: 6, connections: 0))
            #expect(!busy && idle)
        }
    }

    @Test("wait for five seconds at most, and no longer than the time-out")
    func bounds() {
        #expect(Drain(now: 0, delay: 60_000_000_000, timeout: 100_000_000_000).quiet == 5_000_000_000)
        #expect(Drain(now: 0, delay: 60, timeout: 50).quiet == 50)
    }
}
