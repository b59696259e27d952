import Glibc
import System

/// Connects of Unix sockets whose listener has a full queue.
///
/// For those the kernel offers no event to wait for: a non-blocking connect ends with EAGAIN, and a blocking one would
/// take a thread of io_uring each. They are tried again until they succeed, fail otherwise or are cancelled, as TCP
/// repeats a SYN. Pure: the attempt and the time, in monotonic nanoseconds, are handed in.
struct StalledConnects {
    struct Connect {
        let descriptor: Int32
        let address: SocketAddress
        let token: OperationToken
    }

    /// Those of one listener in the order in which they came.
    private var queues: [SocketAddress: [Connect]] = [:]
    private var nextTryAt: UInt64 = 0

    var isEmpty: Bool { queues.isEmpty }

    /// Tries the connect, unless others wait for the same listener; zero or a negated errno, nil if it waits from now
    /// on.
    mutating func begin(_ connect: Connect, now: UInt64, attempt: (Connect) -> Int32) -> Int32? {
        if queues[connect.address] == nil {
            let result = attempt(connect)
            guard result == 0 - EAGAIN else { return result }
        }
        if isEmpty { nextTryAt = now + Self.pauseNanoseconds }
        queues[connect.address, default: []].append(connect)
        return nil
    }

    /// If it is time, tries each listener's connects in their order until one must wait; returns those that have ended,
    /// each with zero or a negated errno.
    mutating func retry(now: UInt64, attempt: (Connect) -> Int32) -> [(connect: Connect, result: Int32)] {
        guard now >= nextTryAt else { return [] }
        nextTryAt = now + Self.pauseNanoseconds
        var ended: [(connect: Connect, result: Int32)] = []
        for (address, queue) in queues {
            var count = 0
            while count < queue.count {
                let result = attempt(queue[count])
                if result == 0 - EAGAIN { break }
                ended.append((queue[count], result))
                count += 1
            }
            queues[address] = count < queue.count ? Array(queue[count...]) : nil
        }
        return ended
    }

    /// How long the loop may wait before the next try.
    func wait(now: UInt64) -> UInt64 {
        if isEmpty { return .max }
        return nextTryAt > now ? nextTryAt - now : 0
    }

    /// The connect of that token, which is not tried again; nil if it does not wait.
    mutating func remove(_ token: OperationToken) -> Connect? {
        for (address, queue) in queues {
            guard let index = queue.firstIndex(where: { $0.token == token }) else { continue }
            queues[address]?.remove(at: index)
            if queue.count == 1 { queues[address] = nil }
            return queue[index]
        }
        return nil
    }

    private static let pauseNanoseconds: UInt64 = 5_000_000
}
