import Testing

@testable import Control

@Suite("The life of a proxy")
struct ProxyLifecycleTests {
    @Test("it is ready when the last worker serves, and names the missing ones until then")
    func ready() {
        var life = ProxyLifecycle(workerCount: 2)
        #expect(life.readiness == .notReady(reason: "starting: waiting for worker 0, 1"))
        #expect(life.workerServes(1) == .nothing)
        #expect(life.readiness == .notReady(reason: "starting: waiting for worker 0"))
        #expect(life.workerServes(0) == .announceReady)
        #expect(life.readiness == .ready)
    }

    @Test("the first signal drains, the second cuts, and the last worker's end is the end")
    func drain() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        _ = life.workerServes(1)
        #expect(life.terminationAsked(now: 5_000) == .drain)
        #expect(life.readiness == .notReady(reason: "draining"))
        // `timeout` and a shell that ends its group send it twice.
        #expect(life.terminationAsked(now: 5_000) == .nothing)
        #expect(life.terminationAsked(now: 5_999) == .nothing)
        #expect(life.terminationAsked(now: 6_000) == .cut)
        #expect(life.workerFinished(0, cut: 0) == .nothing)
        #expect(life.workerFinished(1, cut: 3) == .end(.cut(connections: 3)))
    }

    @Test("a failed worker drains the others, and the end says why")
    func failure() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        #expect(life.workerFailed(1, reason: "no ring") == .drain)
        #expect(life.readiness == .notReady(reason: "worker 1 failed: no ring"))
        #expect(life.workerServes(0) == .nothing)
        #expect(life.workerFinished(0, cut: 0) == .end(.failed(reason: "worker 1 failed: no ring")))
    }

    @Test("a single worker that fails is the end at once")
    func singleFailure() {
        var life = ProxyLifecycle(workerCount: 1)
        #expect(life.workerFailed(0, reason: "x") == .end(.failed(reason: "worker 0 failed: x")))
        #expect(life.workerFailed(0, reason: "again") == .nothing)
    }

    @Test("a signal before any worker serves ends it too")
    func early() {
        var life = ProxyLifecycle(workerCount: 1)
        #expect(life.terminationAsked(now: 0) == .drain)
        #expect(life.workerServes(0) == .nothing)
        #expect(life.workerFinished(0, cut: 0) == .end(.drained))
    }
}
