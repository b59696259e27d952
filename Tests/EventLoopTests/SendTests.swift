import Glibc
import Testing

@testable import EventLoop

@Suite("Sends")
struct SendTests {
    @Test("bytes arrive in order under backpressure, and a send waits for room", arguments: BackendKind.allCases)
    func backpressure(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let bytes = PinnedBytes((0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8)) })
        var sent = 0
        var blocked: OperationToken?
        while blocked == nil {
            let token = rig.send(descriptor, bytes, from: sent)
            for _ in 0..<20 where !rig.seen.contains(where: { $0.token == token }) { try rig.tick() }
            guard rig.seen.contains(where: { $0.token == token }) else {
                blocked = token
                break
            }
            sent += Int(try rig.next(token).result)
            try #require(sent < bytes.count, "nothing held the sender up")
        }
        // The reader begins, and the rest follows.
        var token = try #require(blocked)
        var arrived: [UInt8] = []
        while arrived.count < bytes.count {
            arrived += peer.read(256 * 1024)
            if let index = rig.seen.firstIndex(where: { $0.token == token }) {
                let result = rig.seen[index].result
                try #require(result > 0)
                _ = try rig.drain(ticks: 0)
                sent += Int(result)
                if sent < bytes.count { token = rig.send(descriptor, bytes, from: sent) }
            }
            try rig.tick(timeoutNanoseconds: 100_000)
        }
        #expect(unsafe arrived.elementsEqual(bytes.rest()))
        rig.loop.close(descriptor)
    }

    @Test(
        "what is submitted before a long step leaves at once, and completes with the next tick",
        arguments: Rig.kernelKinds)
    func handedOver(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let bytes = PinnedBytes(Array("hello".utf8))
        for _ in 0..<3 {
            let token = rig.send(descriptor, bytes, from: 0)
            rig.loop.submit()
            #expect(peer.read(100) == Array("hello".utf8))
            #expect(try rig.next(token).result == 5)
        }
        rig.loop.close(descriptor)
    }

    @Test("a send to a peer that is gone fails, and does not kill the process", arguments: BackendKind.allCases)
    func brokenPipe(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let bytes = PinnedBytes([1, 2, 3])
        peer.reset()
        var results: Set<Int32> = []
        try rig.until { true }
        for _ in 0..<3 { results.insert(try rig.next(rig.send(descriptor, bytes)).result) }
        #expect(results.contains(0 - EPIPE))
        #expect(results.isSubset(of: [3, 0 - EPIPE, 0 - ECONNRESET]))
        rig.loop.close(descriptor)
    }

    @Test("after the peer's FIN we still send, and after ours we still receive", arguments: BackendKind.allCases)
    func halfClose(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (first, firstPeer) = try rig.accepted()
        let bytes = PinnedBytes([7, 8])
        firstPeer.shutdownWrite()
        #expect(try rig.next(rig.receive(first)).result == 0)
        #expect(try rig.next(rig.send(first, bytes)).result == 2)
        var arrived: [UInt8] = []
        try rig.until {
            arrived += firstPeer.read(10)
            return arrived == [7, 8]
        }
        rig.loop.close(first)
        try rig.until {
            _ = firstPeer.read(10)
            return firstPeer.isFinished
        }

        let (second, secondPeer) = try rig.dialled()
        #expect(try rig.next(rig.send(second, bytes)).result == 2)
        rig.loop.shutdownWrite(second)
        try rig.until {
            _ = secondPeer.read(10)
            return secondPeer.isFinished
        }
        #expect(secondPeer.write([5]) == 1)
        #expect(try rig.next(rig.receive(second)).bytes == [5])
        rig.loop.close(second)
    }

    @Test("a close that resets is seen as a reset", arguments: BackendKind.allCases)
    func closeWithReset(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        rig.loop.close(descriptor, reset: true)
        try rig.until {
            _ = peer.read(1)
            return peer.wasReset
        }
        #expect(!peer.isFinished)
    }
}
