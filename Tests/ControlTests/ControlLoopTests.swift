import Control
import Foundation
import PosternTesting
import Testing

@Suite("The control loop")
struct ControlLoopTests {
    @Test("a watched eventfd that is signalled twice before the loop looks is one event")
    func coalesced() throws {
        let loop = try ControlLoop(signals: .none)
        let wake = try ControlWake()
        try loop.watch(eventDescriptor: wake.number)
        wake.signal()
        wake.signal()
        #expect(loop.next(timeoutMilliseconds: 10_000) == .signalled(descriptor: wake.number))
        #expect(loop.next(timeoutMilliseconds: 20) == nil)
        wake.signal()
        #expect(loop.next() == .signalled(descriptor: wake.number))
    }

    @Test("every wait keeps its timeout")
    func timeout() throws {
        let loop = try ControlLoop(signals: .none)
        for _ in 0..<3 { #expect(loop.next(timeoutMilliseconds: 5) == nil) }
    }

    @Test(
        "signals are events",
        arguments: [
            (SIGTERM, ControlEvent.terminate), (SIGINT, .terminate), (SIGHUP, .hangup), (SIGUSR1, .hangup),
            (SIGCHLD, .childChanged),
        ])
    func signals(number: Int32, event: ControlEvent) throws {
        // On a thread of its own: the signals stay blocked in the thread that makes the loop.
        let thread = BackgroundThread {
            guard let loop = try? ControlLoop() else {
                Issue.record("no loop")
                return
            }
            pthread_kill(pthread_self(), number)
            #expect(loop.next(timeoutMilliseconds: 10_000) == event)
        }
        thread.join()
    }
}
