import PosternTesting
import Testing

@testable import EventLoop

@Suite("The timer wheel")
struct TimerWheelTests {
    /// A dictionary of deadlines does the same, slowly.
    private static func agreesWithDictionary(seed: UInt64, steps: Int, reach: UInt64) {
        var random = SimulatedRandom(seed: seed)
        let capacity = 1 + random.below(200)
        var now = random.next() % (1 << 50)
        var wheel = TimerWheel(capacity: capacity)
        var deadlines: [Int32: UInt64] = [:]
        for _ in 0..<steps {
            switch random.below(8) {
            case 0...3:
                let slot = Int32(random.below(capacity))
                let deadline = now - min(now, 50_000_000) + random.next() % reach
                wheel.set(slot, deadline: deadline)
                deadlines[slot] = deadline
            case 4:
                let slot = Int32(random.below(capacity))
                wheel.cancel(slot)
                deadlines[slot] = nil
            default:
                let limit = random.next() % (2 * reach)
                let pause = wheel.nanosecondsUntilNext(now: now, limit: limit)
                #expect(pause <= limit)
                // Sleeping as long as it says must not sleep over a deadline by more than the wheel's grain.
                if let next = deadlines.values.min() {
                    #expect(now + pause < max(next, now) + TimerWheel.tickNanoseconds, "seed \(seed)")
                }
                now += random.chance(0.5) ? pause : random.next() % reach
                while let slot = wheel.popExpired(now: now) {
                    let deadline = deadlines.removeValue(forKey: slot)
                    #expect(deadline != nil && deadline! <= now, "a timer fired early or twice, seed \(seed)")
                    // Owners set timers while others fire.
                    if random.chance(0.1) {
                        wheel.set(slot, deadline: now + 1)
                        deadlines[slot] = now + 1
                    }
                }
                let overdue = deadlines.values.filter { $0 + TimerWheel.tickNanoseconds <= now }
                #expect(overdue.isEmpty, "a timer did not fire, seed \(seed)")
            }
        }
    }

    @Test(
        "random timers fire as those of a dictionary do", arguments: [1_000_000, 1 << 30, 1 << 34, 1 << 36, 1 << 42])
    func oracle(reach: UInt64) {
        for seed in 0..<40 as Range<UInt64> { Self.agreesWithDictionary(seed: seed, steps: 400, reach: reach) }
    }

    @Test("far timers let the loop sleep: no spurious wake-up on the way, however many turns of the wheel")
    func sleep() {
        var wheel = TimerWheel(capacity: 5000)
        let hour: UInt64 = 3_600_000_000_000
        for slot in 0..<5000 as Range<Int32> { wheel.set(slot, deadline: hour + UInt64(slot) * 1_000_000) }
        var now: UInt64 = 0
        #expect(wheel.popExpired(now: now) == nil)
        #expect(wheel.nanosecondsUntilNext(now: now, limit: .max) >= hour)
        now = hour - 1
        #expect(wheel.popExpired(now: now) == nil)
        let pause = wheel.nanosecondsUntilNext(now: now, limit: .max)
        #expect((1...TimerWheel.tickNanoseconds).contains(pause))
        #expect(wheel.popExpired(now: now + pause) != nil)
    }

    @Test("a cancelled timer causes at most one spurious wake-up")
    func vainWake() {
        var wheel = TimerWheel(capacity: 2)
        wheel.set(0, deadline: 100_000_000)
        wheel.set(1, deadline: 1_000_000_000_000)
        wheel.cancel(0)
        var now: UInt64 = 0
        var wakes = 0
        while wheel.popExpired(now: now) == nil {
            let pause = wheel.nanosecondsUntilNext(now: now, limit: .max)
            #expect(pause > 0)
            now += pause
            wakes += 1
        }
        #expect(wakes == 2)
    }

    @Test("a deadline at the end of time never fires and overflows nothing")
    func endOfTime() {
        var wheel = TimerWheel(capacity: 1)
        wheel.set(0, deadline: .max)
        #expect(wheel.popExpired(now: 1 << 62) == nil)
        #expect(wheel.nanosecondsUntilNext(now: 1 << 62, limit: 5) == 5)
        wheel.cancel(0)
        #expect(wheel.nanosecondsUntilNext(now: 0, limit: .max) == .max)
    }
}
