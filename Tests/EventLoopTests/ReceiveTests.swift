import Glibc
import Testing

@testable import EventLoop

@Suite("Receives")
struct ReceiveTests {
    @Test("bytes that came before and after the receive are received", arguments: BackendKind.allCases)
    func bytes(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        #expect(peer.write([1, 2, 3]) == 3)
        #expect(try rig.next(rig.receive(descriptor)).bytes == [1, 2, 3])
        let later = rig.receive(descriptor)
        #expect(try rig.drain().isEmpty)
        #expect(peer.write([4, 5]) == 2)
        #expect(try rig.next(later).bytes == [4, 5])
        rig.loop.close(descriptor)
    }

    @Test("a receive that expects nothing finds what came before it", arguments: BackendKind.allCases)
    func expectingNothing(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        for round in 0..<3 as Range<UInt8> {
            #expect(peer.write([round]) == 1)
            let token = rig.newToken()
            rig.loop.receive(descriptor, token, expectsBytes: false)
            #expect(try rig.next(token).bytes == [round])
        }
        peer.shutdownWrite()
        let token = rig.newToken()
        rig.loop.receive(descriptor, token, expectsBytes: false)
        #expect(try rig.next(token).result == 0)
        rig.loop.close(descriptor)
    }

    @Test("a receive takes no more than a buffer, and the rest comes next", arguments: BackendKind.allCases)
    func largerThanABuffer(kind: BackendKind) throws {
        var rig = try Rig(kind, receiveBufferBytes: 1024)
        let (descriptor, peer) = try rig.accepted()
        let bytes = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        #expect(peer.write(bytes) == bytes.count)
        var received: [UInt8] = []
        while received.count < bytes.count {
            let chunk = try rig.next(rig.receive(descriptor))
            #expect((1...1024).contains(chunk.result))
            received += chunk.bytes
        }
        #expect(received == bytes)
        rig.loop.close(descriptor)
    }

    @Test("FIN ends with 0, after the bytes before it", arguments: BackendKind.allCases)
    func fin(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        #expect(peer.write([1]) == 1)
        peer.shutdownWrite()
        #expect(try rig.next(rig.receive(descriptor)).bytes == [1])
        #expect(try rig.next(rig.receive(descriptor)).result == 0)
        rig.loop.close(descriptor)
    }

    @Test("a waiting receive learns of FIN", arguments: BackendKind.allCases)
    func lateFin(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.dialled()
        let token = rig.receive(descriptor)
        #expect(try rig.drain().isEmpty)
        peer.shutdownWrite()
        #expect(try rig.next(token).result == 0)
        rig.loop.close(descriptor)
    }

    @Test("an upstream that sends and closes at once is read to the end", arguments: BackendKind.allCases)
    func speaksFirstAndEnds(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let server = try rig.outside.serve(isIPv6: false)
        let descriptor = rig.loop.openSocket(for: server.address)
        let token = rig.connect(descriptor, server.address)
        // The simulation dials in a tick; the kernel has already established the connection.
        var peer = server.take()
        if peer == nil {
            try rig.tick()
            peer = server.take()
        }
        let speaker = try #require(peer)
        #expect(speaker.write([9, 9]) == 2)
        speaker.close()
        #expect(try rig.next(token).result == 0)
        #expect(try rig.next(rig.receive(descriptor)).bytes == [9, 9])
        #expect(try rig.next(rig.receive(descriptor)).result == 0)
        rig.loop.close(descriptor)
    }

    @Test("RST ends a receive with ECONNRESET", arguments: BackendKind.allCases)
    func reset(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let token = rig.receive(descriptor)
        #expect(try rig.drain().isEmpty)
        peer.reset()
        #expect(try rig.next(token).result == 0 - ECONNRESET)
        rig.loop.close(descriptor)
    }

    @Test("bytes before RST can be read, then comes ECONNRESET", arguments: BackendKind.allCases)
    func bytesThenReset(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        #expect(peer.write([1, 2]) == 2)
        peer.reset()
        #expect(try rig.next(rig.receive(descriptor)).bytes == [1, 2])
        #expect(try rig.next(rig.receive(descriptor)).result == 0 - ECONNRESET)
        rig.loop.close(descriptor)
    }

    @Test("with more receives ready than buffers every one gets its bytes", arguments: BackendKind.allCases)
    func fewBuffers(kind: BackendKind) throws {
        var rig = try Rig(kind, receiveBuffers: 2)
        var peers: [any OutsidePeer] = []
        var waiting: [OperationToken: (descriptor: Int32, byte: UInt8)] = [:]
        for byte in 0..<40 as Range<UInt8> {
            let (descriptor, peer) = try rig.accepted()
            #expect(peer.write([byte]) == 1)
            peers.append(peer)
            waiting[rig.newToken()] = (descriptor, byte)
        }
        for (token, connection) in waiting { rig.loop.receive(connection.descriptor, token) }
        var ticks = 0
        while !waiting.isEmpty {
            try rig.tick()
            for seen in try rig.drain(ticks: 0) {
                let connection = try #require(waiting[seen.token])
                if seen.result == 0 - ENOBUFS {
                    rig.loop.receive(connection.descriptor, seen.token)
                    continue
                }
                #expect(seen.bytes == [connection.byte])
                waiting[seen.token] = nil
                rig.loop.close(connection.descriptor)
            }
            ticks += 1
            try #require(ticks < 1000, "receives starve")
        }
    }

    @Test("connections that always have bytes do not starve the others of buffers", arguments: Rig.kernelKinds)
    func fairness(kind: BackendKind) throws {
        var rig = try Rig(kind, receiveBuffers: 2, receiveBufferBytes: 512)
        var tokens: [OperationToken] = []
        var descriptors: [OperationToken: Int32] = [:]
        var served: [OperationToken: Int] = [:]
        var peers: [any OutsidePeer] = []
        for _ in 0..<6 {
            let (descriptor, peer) = try rig.accepted()
            #expect(peer.write(Array(repeating: 1, count: 16 * 1024)) == 16 * 1024)
            let token = rig.newToken()
            tokens.append(token)
            descriptors[token] = descriptor
            peers.append(peer)
        }
        for token in tokens { rig.loop.receive(try #require(descriptors[token]), token) }
        for _ in 0..<15 {
            try rig.tick()
            for seen in try rig.drain(ticks: 0) {
                if seen.result > 0 { served[seen.token, default: 0] += 1 }
                rig.loop.receive(try #require(descriptors[seen.token]), seen.token)
            }
        }
        for token in tokens {
            #expect(served[token, default: 0] >= 2, "\(served.values)")
            let descriptor = try #require(descriptors[token])
            rig.loop.cancel(descriptor, token)
            _ = try rig.next(token)
            rig.loop.close(descriptor)
        }
    }
}
