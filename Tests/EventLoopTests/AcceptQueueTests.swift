import Glibc
import System
import Testing

@testable import EventLoop

@Suite("The queue of a listener")
struct AcceptQueueTests {
    @Test("what is queued is taken without waiting, once no accept is armed", arguments: BackendKind.allCases)
    func takesQueued(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: false, backlog: 128)
        let token = rig.accept(listener)
        try rig.tick()
        rig.loop.cancel(listener, token)
        #expect(try rig.next(token).result == 0 - ECANCELED)
        let peers = try (0..<3).map { _ in try rig.outside.dial(address) }
        let taken = peers.map { _ in rig.loop.acceptQueued(listener) }
        #expect(taken.map { rig.loop.peerAddress(of: $0) } == peers.map(\.localAddress))
        #expect(rig.loop.acceptQueued(listener) == 0 - EAGAIN)
        // They are as others are.
        #expect(peers[0].write([1]) == 1)
        #expect(try rig.next(rig.receive(taken[0])).bytes == [1])
        for descriptor in taken + [listener] { rig.loop.close(descriptor) }
    }

    @Test(
        "who comes when the queue takes no more does not get in, and who was in it is served",
        arguments: Rig.kernelKinds, [false, true])
    func stops(kind: BackendKind, isIPv6: Bool) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: isIPv6, backlog: 128)
        let before = try rig.outside.dial(address)
        rig.loop.stopQueueing(listener)
        let late = OwnedDescriptor(Sockets.open(for: address, nonBlocking: true))
        #expect(address.connect(late.number) == 0 - EINPROGRESS)
        #expect(!OwnedDescriptor.wait(late.number, for: POLLOUT, timeoutMilliseconds: 50), "it was let in")
        let taken = rig.loop.acceptQueued(listener)
        #expect(rig.loop.peerAddress(of: taken) == before.localAddress)
        #expect(rig.loop.acceptQueued(listener) == 0 - EAGAIN)
        rig.loop.close(listener)
        #expect(before.write([1]) == 1)
        #expect(try rig.next(rig.receive(taken)).bytes == [1])
        rig.loop.close(taken)
        // It tries again, and finds nobody.
        #expect(OwnedDescriptor.wait(late.number, for: POLLOUT, timeoutMilliseconds: 10_000))
        #expect(Sockets.option(late.number, SOL_SOCKET, SO_ERROR) == ECONNREFUSED)
    }

    @Test(
        "an accept on a shared queue is over with its first client, whoever else waits",
        arguments: [BackendKind.ioURing, .simulated])
    func single(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: false, backlog: 128)
        for peer in try (0..<3).map({ _ in try rig.outside.dial(address) }) {
            let token = rig.newToken()
            rig.loop.accept(listener, token, isShared: true)
            let accepted = try rig.next(token)
            #expect(rig.loop.peerAddress(of: accepted.result) == peer.localAddress)
            #expect(!accepted.more, "there would be no next one")
            rig.loop.close(accepted.result)
        }
        rig.loop.close(listener)
    }

    @Test("loops that share a queue all get connections, and none of one that has closed", arguments: Rig.kernelKinds)
    func shared(kind: BackendKind) throws {
        var first = try Rig(kind)
        var second = try Rig(kind)
        let (listener, address) = try first.outside.listen(isIPv6: false, backlog: 128)
        let copy = dup(listener)
        let tokens = (first.newToken(), second.newToken())
        first.loop.accept(listener, tokens.0, isShared: true)
        second.loop.accept(copy, tokens.1, isShared: true)
        var counts = (0, 0)
        var descriptors: ([Int32], [Int32]) = ([], [])
        for _ in 0..<20 {
            try first.tick(timeoutNanoseconds: 0)
            try second.tick(timeoutNanoseconds: 0)
            let peer = try first.outside.dial(address)
            // In turn, as workers wake that are equally busy.
            while descriptors.0.count + descriptors.1.count == counts.0 + counts.1 {
                try first.tick(timeoutNanoseconds: 0)
                try second.tick(timeoutNanoseconds: 0)
                for seen in try first.drain(ticks: 0) where seen.result >= 0 {
                    descriptors.0.append(seen.result)
                    if !seen.more { first.loop.accept(listener, tokens.0, isShared: true) }
                }
                for seen in try second.drain(ticks: 0) where seen.result >= 0 {
                    descriptors.1.append(seen.result)
                    if !seen.more { second.loop.accept(copy, tokens.1, isShared: true) }
                }
            }
            counts = (descriptors.0.count, descriptors.1.count)
            _ = peer
        }
        if kind == .ioURing { #expect(counts == (10, 10)) }
        first.loop.cancel(listener, tokens.0)
        #expect(try first.next(tokens.0).result == 0 - ECANCELED)
        first.loop.close(listener)
        let last = try second.outside.dial(address)
        let taken = try second.next(tokens.1).result
        #expect(second.loop.peerAddress(of: taken) == last.localAddress)
        #expect(try first.drain().isEmpty)
        second.loop.close(taken)
        for descriptor in descriptors.0 { first.loop.close(descriptor) }
        for descriptor in descriptors.1 { second.loop.close(descriptor) }
        second.loop.cancel(copy, tokens.1)
        try second.tick()
        second.loop.close(copy)
    }
}
