import Testing

@testable import Control

@Suite("The schedule of reloads")
struct ReloadScheduleTests {
    @Test("a change is reloaded when its writer pauses, and after a second if it does not")
    func pauses() {
        var schedule = ReloadSchedule(now: 0)
        #expect(schedule.dueAt == 300_000)
        schedule.changed(now: 1_000)
        #expect(schedule.dueAt == 1_050)
        schedule.changed(now: 1_040)
        #expect(schedule.dueAt == 1_090)
        for now in stride(from: Int64(1_080), to: 2_500, by: 40) { schedule.changed(now: now) }
        #expect(schedule.dueAt == 2_000)
    }

    @Test("flawed files are retried with backoff until they are sound")
    func retries() {
        var schedule = ReloadSchedule(now: 0)
        var waits: [Int64] = []
        for _ in 0..<9 {
            schedule.looked(now: 10, isSound: false)
            waits.append(schedule.dueAt - 10)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { $0 * 1_000 })
        schedule.looked(now: 10, isSound: true)
        #expect(schedule.dueAt == 300_010)
        schedule.looked(now: 10, isSound: false)
        #expect(schedule.dueAt == 1_010)
        schedule.forced(now: 20)
        #expect(schedule.dueAt == 20)
    }
}
