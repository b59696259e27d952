import CAllocationCount
import EventLoop
import Glibc
import PosternTesting
import Synchronization
import System
import Testing

@testable import Load

@Suite("Load without allocations")
struct AllocationTests {
    @Test("a request takes nothing from the heap", arguments: [EventLoopRequest.ioURing, .epoll])
    func perRequest(request: EventLoopRequest) throws {
        let (listeners, address) = try ListeningSocket.group(address: SocketAddress(v4: 0x7F00_0001, port: 0), count: 1)
        let echo = EchoThread(listeners[0])
        defer { echo.stop() }
        var plan = LoadPlan(kind: .echo, target: LoadTarget(text: "loopback", address: address))
        plan.warmupNanoseconds = 50_000_000
        plan.durationNanoseconds = 300_000_000
        var generator = try Generator(plan, loop: OpenedLoop.open(request, LoopLimits()).take(), clock: { 0 })
        while generator.tally.requests < 100, !generator.isOver { try generator.step() }
        let before = allocation_count()
        let requests = generator.tally.requests
        while generator.tally.requests < requests + 1_000, !generator.isOver { try generator.step() }
        let made = allocation_count() - before
        let counted = generator.tally.requests - requests
        while !generator.isOver { try generator.step() }
        #expect(generator.result().failure == nil)
        // The end of the window, should it have come meanwhile, costs a few.
        #expect(counted > 0 && made < 8, "\(made) blocks for \(counted) requests")
    }
}

/// Echoes one connection in a thread of its own.
private final class EchoThread: Sendable {
    private let listener: Int32

    init(_ listener: Int32) {
        self.listener = listener
        _ = BackgroundThread {
            let connection = accept(listener, nil, nil)
            var bytes = [UInt8](repeating: 0, count: 65_536)
            while true {
                // Safe: the kernel keeps to the array's size.
                let count = unsafe recv(connection, &bytes, bytes.count, 0)
                guard count > 0, unsafe send(connection, bytes, count, Int32(MSG_NOSIGNAL)) == count else { break }
            }
            close(connection)
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
