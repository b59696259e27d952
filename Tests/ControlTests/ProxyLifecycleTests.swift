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

    @Test("outbound listeners stop once every worker has said that nothing is open, and none has anything open again")
    func idle() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        _ = life.workerServes(1)
        #expect(life.terminationAsked(now: 0) == .drain)
        #expect(life.workerIsIdle(0, open: [0, 0]) == .nothing)
        #expect(life.workerIsIdle(1, open: [2, 0]) == .nothing)
        #expect(life.workerIsIdle(0, open: [0, 0]) == .stopOutbound)
        #expect(life.workerFinished(0, cut: 0) == .nothing)
        #expect(life.workerFinished(1, cut: 0) == .end(.drained))
    }

    @Test("a worker that failed is not waited for")
    func idleBesideAFailure() {
        var life = ProxyLifecycle(workerCount: 2)
        _ = life.workerServes(0)
        _ = life.workerServes(1)
        #expect(life.terminationAsked(now: 0) == .drain)
        #expect(life.workerIsIdle(0, open: [0, 3]) == .nothing)
        #expect(life.workerFailed(1, reason: "no ring") == .nothing)
        #expect(life.afterIdle(open: [0, 3]) == .stopOutbound)
    }

    @Test("a drain that is asked for is no first signal, and one without delay shortens another")
    func asked() {
        var life = ProxyLifecycle(workerCount: 1)
        _ = life.workerServes(0)
        #expect(life.drainAsked(delay: true) == .drain)
        #expect(life.readiness == .notReady(reason: "draining"))
        #expect(life.drainAsked(delay: true) == .nothing)
        #expect(life.drainAsked(delay: false) == .stopInbound)
        #expect(life.terminationAsked(now: 5_000) == .nothing)
        #expect(life.terminationAsked(now: 6_000) == .cut)
    }

    @Test("what is cut after the application's own end is no failure")
    func cutAfterQuit() {
        var life = ProxyLifecycle(workerCount: 1)
        _ = life.workerServes(0)
        #expect(life.drainAsked(delay: false) == .stopInbound)
        #expect(life.workerFinished(0, cut: 2) == .end(.cutWithoutApplication(connections: 2)))
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
