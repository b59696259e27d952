import Glibc
import Testing

@testable import EventLoop

@Suite("Cancelled operations")
struct CancelTests {
    @Test("a waiting receive ends with ECANCELED, once", arguments: BackendKind.allCases)
    func receive(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let token = rig.receive(descriptor)
        try rig.tick()
        rig.loop.cancel(descriptor, token)
        rig.loop.cancel(descriptor, token)
        #expect(try rig.next(token).result == 0 - ECANCELED)
        #expect(try rig.drain().isEmpty)
        // Bytes that arrive later are for the next receive.
        #expect(peer.write([3]) == 1)
        #expect(try rig.next(rig.receive(descriptor)).bytes == [3])
        rig.loop.close(descriptor)
    }

    @Test("a receive is cancelled before the kernel has seen it", arguments: BackendKind.allCases)
    func atOnce(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let token = rig.receive(descriptor)
        rig.loop.cancel(descriptor, token)
        #expect(try rig.next(token).result == 0 - ECANCELED)
        rig.loop.close(descriptor)
        #expect(try rig.drain().isEmpty)
        withExtendedLifetime(peer) {}
    }

    @Test("a cancel that comes too late changes nothing", arguments: BackendKind.allCases)
    func tooLate(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        #expect(peer.write([1]) == 1)
        let token = rig.receive(descriptor)
        #expect(try rig.next(token).bytes == [1])
        rig.loop.cancel(descriptor, token)
        #expect(try rig.drain().isEmpty)
        rig.loop.close(descriptor)
    }

    @Test("a blocked send ends, with what it sent or with ECANCELED", arguments: BackendKind.allCases)
    func send(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let bytes = PinnedBytes(Array(repeating: 1, count: 2_000_000))
        var token = rig.send(descriptor, bytes)
        while true {
            for _ in 0..<20 where !rig.seen.contains(where: { $0.token == token }) { try rig.tick() }
            guard rig.seen.contains(where: { $0.token == token }) else { break }
            _ = try rig.next(token)
            token = rig.send(descriptor, bytes)
        }
        rig.loop.cancel(descriptor, token)
        #expect(try rig.next(token).result == 0 - ECANCELED)
        #expect(try rig.drain().isEmpty)
        rig.loop.close(descriptor, reset: true)
        withExtendedLifetime(peer) {}
    }

    @Test("a dial that hangs ends with ECANCELED", arguments: BackendKind.allCases)
    func connect(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let address = try rig.outside.hangingAddress()
        let descriptor = rig.loop.openSocket(for: address)
        let token = rig.connect(descriptor, address)
        #expect(try rig.drain().isEmpty)
        rig.loop.cancel(descriptor, token)
        #expect(try rig.next(token).result == 0 - ECANCELED)
        rig.loop.close(descriptor)
        #expect(try rig.drain().isEmpty)
    }

    @Test("both operations of a descriptor can be cancelled in one tick", arguments: BackendKind.allCases)
    func both(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.accepted()
        let bytes = PinnedBytes(Array(repeating: 1, count: 2_000_000))
        let receive = rig.receive(descriptor)
        var send = rig.send(descriptor, bytes)
        while try !rig.drain(ticks: 20).isEmpty { send = rig.send(descriptor, bytes) }
        rig.loop.cancel(descriptor, receive)
        rig.loop.cancel(descriptor, send)
        #expect(try rig.next(receive).result == 0 - ECANCELED)
        #expect(try rig.next(send).result == 0 - ECANCELED)
        rig.loop.close(descriptor, reset: true)
        withExtendedLifetime(peer) {}
    }
}
