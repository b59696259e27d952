import CAllocationCount
import Glibc
import PosternTesting
import System
import Testing

@testable import EventLoop

@Suite("Loops over the kernel")
struct KernelLoopTests {
    @Test("another thread ends the wait, once for all its signals", arguments: Rig.kernelKinds)
    func wake(kind: BackendKind) throws {
        var rig = try Rig(kind)
        #expect(try rig.drain(ticks: 3).isEmpty)
        let wake = rig.loop.wake!
        for _ in 0..<5 {
            let thread = BackgroundThread { wake.signal() }
            let before = rig.loop.now
            #expect(try rig.wait().map(\.token) == [.wake])
            #expect(rig.loop.now - before < 20_000_000_000)
            thread.join()
        }
        wake.signal()
        wake.signal()
        #expect(try rig.drain(ticks: 3).map(\.token) == [.wake])
    }

    @Test("a wait ends at its time-out: it neither spins nor oversleeps", arguments: Rig.kernelKinds)
    func timeout(kind: BackendKind) throws {
        var rig = try Rig(kind)
        try rig.tick(timeoutNanoseconds: 0)
        let before = rig.loop.now
        var ticks = 0
        // A signal of this process, such as a child's end, may cut a wait short.
        while rig.loop.now - before < 30_000_000 {
            try rig.tick(timeoutNanoseconds: 30_000_000 - (rig.loop.now - before))
            ticks += 1
        }
        #expect(ticks < 20)
        #expect(rig.loop.now - before < 10_000_000_000)
        // The longest possible wait does not overflow.
        rig.loop.wake!.signal()
        #expect(try rig.wait(timeoutNanoseconds: .max).map(\.token) == [.wake])
    }

    @Test("more operations in a tick than the queue has entries", arguments: Rig.kernelKinds)
    func manyOperations(kind: BackendKind) throws {
        var rig = try Rig(kind)
        var receives: [OperationToken: Int32] = [:]
        var peers: [Int32] = []
        for _ in 0..<700 {
            let (near, far) = socketPair()
            receives[rig.receive(near)] = near
            peers.append(far)
        }
        for (token, descriptor) in receives { rig.loop.cancel(descriptor, token) }
        var late: [OperationToken] = []
        for _ in 0..<700 {
            let (near, far) = socketPair()
            late.append(rig.receive(near))
            Glibc.close(far)
        }
        for (token, descriptor) in receives {
            #expect(try rig.next(token).result == 0 - ECANCELED)
            rig.loop.close(descriptor)
        }
        for token in late { #expect([0, 0 - ENOBUFS].contains(try rig.next(token).result)) }
        for peer in peers { Glibc.close(peer) }
        #expect(try rig.drain().isEmpty)
    }

    @Test("a reused descriptor number inherits no state", arguments: Rig.kernelKinds)
    func reuse(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: false, backlog: 64)
        let token = rig.accept(listener)
        var random = SimulatedRandom(seed: 7)
        var numbers: [Int32: Int] = [:]
        for round in 0..<300 {
            let peer = try rig.outside.dial(address)
            let descriptor = try rig.next(token).result
            numbers[descriptor, default: 0] += 1
            let receive = rig.receive(descriptor)
            if random.chance(0.5) { try rig.tick(timeoutNanoseconds: 0) }
            // Bytes, FIN or RST are on their way while the descriptor is closed.
            if random.chance(0.5) { _ = peer.write([UInt8(truncatingIfNeeded: round)]) }
            if random.chance(0.3) { peer.shutdownWrite() }
            rig.loop.cancel(descriptor, receive)
            let result = try rig.next(receive).result
            #expect([0 - ECANCELED, 0, 1].contains(result))
            rig.loop.close(descriptor, reset: random.chance(0.5))
            if random.chance(0.3) { peer.close() }
            #expect(!rig.seen.contains { $0.token != token }, "a completion of nothing")
        }
        #expect(numbers.values.contains { $0 > 1 }, "no number was used again")
        rig.loop.cancel(listener, token)
        while try rig.next(token).more {}
        rig.loop.close(listener)
    }

    @Test("a message there and back allocates nothing", arguments: Rig.kernelKinds)
    func allocations(kind: BackendKind) throws {
        var loop = kind == .epoll ? try EventLoop.epoll(LoopLimits()) : try EventLoop.ioURing(LoopLimits())
        let (near, far) = socketPair()
        let message = PinnedBytes([1, 2, 3])
        let received = [near, far].map { OperationToken(operation: 1, generation: 0, slot: UInt32($0)) }
        let sent = OperationToken(operation: 2, generation: 0, slot: 0)
        for token in received { loop.receive(Int32(token.slot), token) }
        // Safe: `message` lives to the end of the test.
        unsafe loop.send(near, message.rest(), sent)
        var before: UInt64 = 0
        for round in 0..<200 {
            if round == 100 { before = allocation_count() }
            for index in 0..<(try loop.tick(timeoutNanoseconds: 10_000_000)) {
                let completion = loop.completion(index)
                guard completion.token.operation == 1 else { continue }
                loop.giveBack(completion.buffer)
                let descriptor = Int32(completion.token.slot)
                loop.receive(descriptor, completion.token)
                // Safe: as above.
                unsafe loop.send(descriptor, message.rest(), sent)
            }
        }
        #expect(allocation_count() == before)
        withExtendedLifetime(message) {}
    }

    @Test(
        "more operations in one tick than both of the kernel's queues hold are all completed",
        arguments: Rig.kernelKinds)
    func fullQueues(kind: BackendKind) throws {
        var loop = kind == .epoll ? try EventLoop.epoll(LoopLimits()) : try EventLoop.ioURing(LoopLimits())
        let (near, far) = socketPair()
        let message = PinnedBytes([1, 2, 3])
        let waiting = OperationToken(operation: 1, generation: 0, slot: 1)
        let sent = OperationToken(operation: 2, generation: 0, slot: 2)
        for round in 0..<3 {
            loop.receive(near, waiting)
            // Each of them is answered: there is no such operation.
            for number in 0..<20_000 {
                loop.cancel(far, OperationToken(operation: 3, generation: 0, slot: UInt32(number)))
            }
            // Safe: `message` lives to the end of the test.
            unsafe loop.send(far, message.rest(), sent)
            var seen: [UInt8] = []
            for _ in 0..<200 where seen.count < 2 {
                for index in 0..<(try loop.tick(timeoutNanoseconds: 10_000_000)) {
                    let completion = loop.completion(index)
                    seen.append(completion.token.operation)
                    if completion.token == waiting {
                        #expect(completion.result == 3)
                        loop.giveBack(completion.buffer)
                    }
                }
            }
            #expect(seen.sorted() == [1, 2], "round \(round)")
        }
        withExtendedLifetime(message) {}
    }

    @Test("an accept without descriptors ends with EMFILE, and goes on once there are some")
    func descriptorTable() async {
        // In a process of its own, whose limit nobody else feels.
        await #expect(processExitsWith: .success) {
            for kind in Rig.kernelKinds { try Self.fillDescriptorTable(kind) }
        }
    }

    private static func fillDescriptorTable(_ kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: false, backlog: 16)
        let peer = try rig.outside.dial(address)
        let next = Sockets.open(for: SocketAddress(v4: 0x7f00_0001, port: 0), nonBlocking: false)
        Sockets.close(next, reset: false)
        let former = setDescriptorLimit(rlim_t(next))
        let refused = try rig.next(rig.accept(listener))
        try #require(refused.result == 0 - EMFILE && !refused.more)
        try #require(rig.loop.openSocket(for: address) == 0 - EMFILE)
        _ = setDescriptorLimit(former)
        let token = rig.accept(listener)
        let accepted = try rig.next(token)
        try #require(accepted.result >= 0 && accepted.more)
        try #require(peer.write([1]) == 1)
        try #require(try rig.next(rig.receive(accepted.result)).bytes == [1])
        rig.loop.close(accepted.result)
    }

    /// Sets how many descriptors this process may have, and returns how many it might have before.
    private static func setDescriptorLimit(_ count: rlim_t) -> rlim_t {
        var limit = rlimit()
        // Safe: the kernel fills and reads the local structure.
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        defer {
            limit.rlim_cur = count
            _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        return limit.rlim_cur
    }

    @Test("a loop destroyed with operations in flight does not disturb the next one", arguments: Rig.kernelKinds)
    func abandoned(kind: BackendKind) throws {
        for _ in 0..<20 {
            var rig = try Rig(kind)
            let (near, far) = socketPair()
            _ = rig.receive(near)
            let (listener, _) = try rig.outside.listen(isIPv6: false, backlog: 4)
            _ = rig.accept(listener)
            try rig.tick(timeoutNanoseconds: 0)
            let wake = rig.loop.wake!
            wake.signal()
            _ = consume rig
            for descriptor in [near, far, listener] { close(descriptor) }
        }
    }

    private func socketPair() -> (Int32, Int32) {
        var ends: (Int32, Int32) = (-1, -1)
        // Safe: two Int32 in a row are what the call fills.
        let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe socketpair(
                AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, bytes.baseAddress!.assumingMemoryBound(to: Int32.self))
        }
        precondition(result == 0, "out of descriptors")
        return ends
    }
}
