import Glibc
import PosternTesting
import Testing

@testable import EventLoop

@Suite("The mailbox")
struct MailboxTests {
    @Test("messages from many threads arrive, each thread's in order, and wake the worker", arguments: Rig.kernelKinds)
    func manyThreads(kind: BackendKind) throws {
        let mailbox = Mailbox<(thread: Int, number: Int)>()
        var rig = try Rig(kind)
        mailbox.open(wake: rig.loop.wake!)
        let threads = (0..<4).map { thread in
            BackgroundThread { for number in 0..<500 { mailbox.post((thread, number)) } }
        }
        // The loop must not be destroyed while a thread may post: nothing here throws before they have ended.
        var arrived: [[Int]] = Array(repeating: [], count: threads.count)
        var ticks = 0
        while arrived.contains(where: { $0.count < 500 }), ticks < 5000 {
            ticks += 1
            guard let seen = try? rig.drain(ticks: 1), !seen.isEmpty else { continue }
            for message in mailbox.take() { arrived[message.thread].append(message.number) }
        }
        for thread in threads { thread.join() }
        #expect(arrived.allSatisfy { $0 == Array(0..<500) })
        mailbox.close()
    }

    @Test("what was posted before the worker began wakes it then", arguments: Rig.kernelKinds)
    func early(kind: BackendKind) throws {
        let mailbox = Mailbox<Int>()
        #expect(mailbox.post(1))
        var rig = try Rig(kind)
        mailbox.open(wake: rig.loop.wake!)
        #expect(try rig.wait().map(\.token) == [.wake])
        #expect(mailbox.take() == [1])
        mailbox.close()
    }

    @Test("nothing is posted to a worker that has ended")
    func closed() {
        let mailbox = Mailbox<Int>()
        mailbox.close()
        #expect(!mailbox.post(1))
    }
}
