import Testing

@testable import EventLoop

@Suite("The budget of receives")
struct ReceiveBudgetTests {
    @Test(
        "gives a tick buffers for what it may receive: all for small messages, one for large reads",
        arguments: [(0, 16), (100, 16), (1_024, 16), (40_000, 8), (130_560, 2), (261_120, 1), (1 << 30, 1)])
    func size(bytes: Int, buffers: Int) {
        var budget = ReceiveBudget(LoopLimits())
        for _ in 0..<200 { budget.received(bytes) }
        #expect(budget.buffersATick == buffers)
    }

    @Test("forgets large reads after a few small ones, and small ones after a few large ones")
    func change() {
        var budget = ReceiveBudget(LoopLimits())
        for _ in 0..<200 { budget.received(261_120) }
        for _ in 0..<24 { budget.received(64) }
        #expect(budget.buffersATick == 16)
        for _ in 0..<8 { budget.received(261_120) }
        #expect(budget.buffersATick == 1)
    }

    @Test("gives more buffers if many receives wait for one, however large their reads")
    func starvation() {
        var budget = ReceiveBudget(LoopLimits())
        for _ in 0..<200 { budget.received(261_120) }
        for (waiting, buffers) in [(0, 1), (7, 1), (8, 2), (40, 6), (1_000, 16)] {
            budget.starved(waiting)
            #expect(budget.buffersATick == buffers)
        }
    }
}
