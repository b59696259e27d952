import Control
import Testing

@testable import Injector

@Suite("The injector's decisions")
struct InjectorDecisionTests {
    @Test(
        "a request is taken for a review, or refused with the status that fits",
        arguments: [
            ("/inject", HTTPMethod.post, "application/json", 0), ("/inject", .post, nil, 415),
            ("/inject", .post, "Application/JSON ; charset=utf-8", 0), ("/inject", .post, "application/json5", 415),
            ("/inject", .post, "", 415), ("/inject", .get, "application/json", 405),
            ("/inject", .other, "application/json", 405), ("/inject/", .post, "application/json", 404),
            ("/", .get, nil, 404), ("/readyz", .post, nil, 405), ("/metrics", .get, nil, 404),
        ] as [(String, HTTPMethod, String?, Int32)])
    func requests(_ path: String, _ method: HTTPMethod, _ type: String?, _ status: Int32) {
        let request = ReviewRequest(method: method, path: path, contentType: type)
        switch request.action(clients: nil) {
        case .refuse(let reply): #expect(reply.status == status)
        case .review: #expect(status == 0)
        case .live, .ready: Issue.record("no review")
        }
    }

    @Test("only clients with one of the names may send reviews, if there are names")
    func clients() {
        var request = ReviewRequest(method: .post, path: "/inject", contentType: "application/json")
        func isRefused(_ clients: Set<String>?) -> Bool {
            if case .refuse(let reply) = request.action(clients: clients) { reply.status == 403 } else { false }
        }
        #expect(!isRefused(nil) && isRefused(["kube-apiserver"]) && isRefused([]))
        request.client = "kube-apiserver"
        #expect(!isRefused(["kube-apiserver"]) && isRefused(["other"]) && isRefused([]))
    }

    @Test(
        "a review is answered within the time that the API server waits",
        arguments: [
            ("timeout=10s", 10_000), ("a=b&timeout=1s", 1_000), ("timeout=0s", 1_000), ("timeout=99s", 30_000),
            ("timeout=", 30_000), ("timeout=-5s", 1_000), ("timeout=99999999999999999999s", 30_000), ("", 30_000),
        ] as [(String, Int64)])
    func timeouts(_ query: String, _ milliseconds: Int64) {
        let request = ReviewRequest(method: .post, path: "/inject", query: query, contentType: "application/json")
        #expect(request.action(clients: nil) == .review(timeoutMilliseconds: milliseconds))
    }

    @Test("each phase of a connection has its time, which later bytes do not extend")
    func clock() {
        var clock = ConnectionClock(acceptedAt: 0)
        #expect(clock.phase == .handshake && clock.deadline == 5_000)
        clock.established(now: 100)
        #expect(clock.phase == .idle && clock.deadline == 180_100)
        clock.received(now: 1_000)
        for now in stride(from: Int64(1_500), to: 10_000, by: 500) { clock.received(now: now) }
        #expect(clock.phase == .receiving && clock.deadline == 11_000)
        clock.asked(now: 2_000)
        clock.received(now: 2_100)
        #expect(clock.phase == .answering && clock.deadline == 42_000 && !clock.hasServed)
        clock.answered(now: 3_000)
        clock.established(now: 4_000)
        #expect(clock.phase == .idle && clock.deadline == 183_000 && clock.hasServed)
    }

    @Test("a drain says so, accepts for a while, and ends when nothing is left or its time is over")
    func drain() {
        var life = InjectorLifecycle(delayMilliseconds: 5_000, timeoutMilliseconds: 10_000)
        #expect(life.readiness == .ready && life.tick(now: 0, busy: 3) == .nothing)
        #expect(life.terminationAsked(now: 0, busy: 3) == .announceDrain && life.readiness != .ready)
        #expect(life.terminationAsked(now: 500, busy: 3) == .nothing)
        #expect(life.tick(now: 4_999, busy: 0) == .nothing && life.tick(now: 5_000, busy: 2) == .close)
        #expect(life.tick(now: 5_020, busy: 1) == .nothing)
        var other = life
        #expect(life.tick(now: 5_040, busy: 0) == .end(.drained))
        #expect(other.tick(now: 15_000, busy: 1) == .end(.cut(requests: 1)))
        #expect(other.terminationAsked(now: 16_000, busy: 1) == .end(.cut(requests: 1)))
    }

    @Test("five warnings a second are logged, and the next one says how many were not")
    func warnings() {
        var allowance = WarningAllowance()
        #expect((0..<8).map { allowance.take(now: $0) } == [0, 0, 0, 0, 0, nil, nil, nil])
        #expect(allowance.take(now: 1_000) == 3 && allowance.take(now: 1_001) == 0)
    }
}
