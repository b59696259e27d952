import Testing

@testable import Load

@Suite("The schedule of an open loop")
struct ScheduleTests {
    @Test("requests are due at fixed moments that do not drift", arguments: [1, 3, 1_000, 5_000_000] as [UInt64])
    func moments(rate: UInt64) {
        var schedule = Schedule(ratePerSecond: rate, start: 5_000)
        #expect(schedule.due(0) == 5_000)
        #expect(schedule.due(rate) == 1_000_005_000)
        #expect(schedule.due(rate * 86_400) == 86_400_000_005_000)
        #expect(schedule.takeDue(by: 4_999) == nil)
        #expect(schedule.takeDue(by: 5_000) == 0)
        var taken: UInt64 = 1
        while schedule.takeDue(by: 5_000 + 1_000_000) != nil { taken += 1 }
        #expect(taken == rate / 1_000 + 1)
        #expect(schedule.wait(now: schedule.due(taken) - 1) == 1)
        #expect(schedule.wait(now: schedule.due(taken) + 1) == 0)
    }
}
