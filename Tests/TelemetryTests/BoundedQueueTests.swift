import Foundation
import PosternTesting
import Telemetry
import Testing

@Suite("The bounded queue")
struct BoundedQueueTests {
    @Test("elements come out in order, and a full queue drops and counts", arguments: [1, 2, 3, 8, 1000])
    func order(capacity: Int) {
        let queue = BoundedQueue<Int>(capacity: capacity)
        for round in 0..<3 {
            for index in 0..<queue.capacity { #expect(queue.push(round * 10_000 + index) == .queued) }
            #expect(queue.push(-1) == .dropped)
            for index in 0..<queue.capacity { #expect(queue.pop() == round * 10_000 + index) }
            #expect(queue.pop() == nil)
        }
        #expect(queue.droppedCount == 3)
    }

    @Test("a capacity is rounded up to a power of two", arguments: [(1, 1), (2, 2), (3, 4), (1000, 1024)])
    func rounding(asked: Int, got: Int) {
        #expect(BoundedQueue<Int>(capacity: asked).capacity == got)
    }

    @Test("a sleeping consumer is woken once")
    func sleeper() {
        let queue = BoundedQueue<Int>(capacity: 4)
        #expect(queue.prepareToSleep())
        #expect(queue.push(1) == .queuedForSleeper)
        #expect(queue.push(2) == .queued)
        #expect(!queue.prepareToSleep())
        #expect(queue.push(3) == .queued)
    }

    @Test("elements left in a queue are released with it")
    func release() {
        final class Token: Sendable {}
        weak var seen: Token?
        do {
            let token = Token()
            seen = token
            let queue = BoundedQueue<Token>(capacity: 4)
            _ = queue.push(token)
            #expect(queue.droppedCount == 0)
        }
        #expect(seen == nil)
    }

    @Test("two threads lose and reorder nothing")
    func threads() async {
        let queue = BoundedQueue<[Int]>(capacity: 64)
        let total = 50_000
        // Threads of their own: both sides spin, which the test pool's threads are not for.
        async let retries = onThread {
            var retries = 0
            for value in 0..<total {
                while queue.push([value]) == .dropped {
                    retries += 1
                    sched_yield()
                }
            }
            return retries
        }
        async let firstWrong = onThread {
            var next = 0
            while next < total {
                guard let element = queue.pop() else {
                    sched_yield()
                    continue
                }
                guard element == [next] else { break }
                next += 1
            }
            return next
        }
        #expect(await firstWrong == total)
        let dropped = await retries
        #expect(queue.droppedCount == dropped)
    }

    private func onThread(_ body: @escaping @Sendable () -> Int) async -> Int {
        await withCheckedContinuation { continuation in
            _ = BackgroundThread { continuation.resume(returning: body()) }
        }
    }
}
