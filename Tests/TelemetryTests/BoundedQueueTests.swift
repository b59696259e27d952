import Synchronization
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
        let total = 200_000
        async let produced: Int = Task.detached {
            var retries = 0
            for value in 0..<total {
                while queue.push([value]) == .dropped {
                    retries += 1
                    await Task.yield()
                }
            }
            return retries
        }.value
        let inOrder = await Task.detached {
            var next = 0
            while next < total {
                if let element = queue.pop() {
                    guard element == [next] else { return false }
                    next += 1
                } else {
                    await Task.yield()
                }
            }
            return true
        }.value
        #expect(inOrder)
        let retries = await produced
        #expect(queue.droppedCount == retries)
    }
}

@Suite("The counters")
struct CountersTests {
    @Test("the sum over workers adds every counter")
    func sum() {
        var one = Counters()
        one.accepted = 5
        one.closed = 2
        one.refuse("weak-key")
        one.refuse("weak-key")
        var two = Counters()
        two.accepted = 1
        two.refuse("weak-key")
        two.refuse("expired")
        two.bytesToUpstream = 9
        let sum = one + two
        #expect(sum.active == 4)
        #expect(sum.refused == ["weak-key": 3, "expired": 1])
        #expect(sum.bytesToUpstream == 9)
    }
}
