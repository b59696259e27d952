import Glibc
import System
import Testing

@testable import EventLoop

@Suite("Accepts and connects")
struct AcceptConnectTests {
    @Test("one accept takes every connection and knows who dials", arguments: BackendKind.allCases, [false, true])
    func accepts(kind: BackendKind, isIPv6: Bool) throws {
        var rig = try Rig(kind)
        let (listener, address) = try rig.outside.listen(isIPv6: isIPv6, backlog: 128)
        #expect(rig.loop.localAddress(of: listener) == address)
        let token = rig.accept(listener)
        var peers: [any OutsidePeer] = []
        var descriptors: [Int32] = []
        for count in [1, 30, 60] {
            for _ in 0..<count { peers.append(try rig.outside.dial(address)) }
            for _ in 0..<count {
                let seen = try rig.next(token)
                try #require(seen.result >= 0)
                #expect(seen.more)
                descriptors.append(seen.result)
            }
        }
        #expect(Set(descriptors).count == 91)
        let callers = descriptors.map { rig.loop.peerAddress(of: $0) }
        #expect(Set(callers) == Set(peers.map(\.localAddress)))
        #expect(descriptors.allSatisfy { rig.loop.localAddress(of: $0) == address })
        for descriptor in descriptors { rig.loop.close(descriptor) }
        rig.loop.cancel(listener, token)
        let last = try rig.next(token)
        #expect(last.result == 0 - ECANCELED && !last.more)
        rig.loop.close(listener)
        #expect(try rig.drain().isEmpty)
    }

    @Test("a dial reaches its listener", arguments: BackendKind.allCases, [false, true])
    func connects(kind: BackendKind, isIPv6: Bool) throws {
        var rig = try Rig(kind)
        let (descriptor, peer) = try rig.dialled(isIPv6: isIPv6)
        #expect(rig.loop.peerAddress(of: descriptor) == peer.localAddress)
        #expect(peer.write([1]) == 1)
        #expect(try rig.next(rig.receive(descriptor)).bytes == [1])
        rig.loop.close(descriptor)
    }

    @Test("a dial without a listener is refused", arguments: BackendKind.allCases)
    func refused(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let address = try rig.outside.deadAddress()
        for _ in 0..<3 {
            let descriptor = rig.loop.openSocket(for: address)
            #expect(try rig.next(rig.connect(descriptor, address)).result == 0 - ECONNREFUSED)
            rig.loop.close(descriptor)
        }
    }

    @Test(
        "a dial to a Unix socket whose queue is full waits, in order, and can be cancelled", arguments: Rig.kernelKinds)
    func fullQueue(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let address = SocketAddress(unix: "@postern-test-\(UInt64.random(in: 0 ... .max))")
        let listener = Sockets.open(for: address, nonBlocking: true)
        #expect(address.bind(listener) == 0 && listen(listener, 0) == 0)
        let dials = (0..<4).map { _ in
            let descriptor = rig.loop.openSocket(for: address)
            return (descriptor: descriptor, token: rig.connect(descriptor, address))
        }
        #expect(try rig.next(dials[0].token).result == 0)
        #expect(try rig.drain(ticks: 20).isEmpty)
        rig.loop.cancel(dials[2].descriptor, dials[2].token)
        #expect(try rig.next(dials[2].token).result == 0 - ECANCELED)
        for next in [1, 3] {
            let accepted = accept(listener, nil, nil)
            #expect(accepted >= 0)
            #expect(try rig.next(dials[next].token).result == 0)
            #expect(try rig.drain().isEmpty)
            Sockets.close(accepted, reset: false)
        }
        // Its mode is as before: bytes are waited for.
        let token = rig.receive(dials[0].descriptor)
        #expect(try rig.next(token).result == 0)
        for dial in dials { rig.loop.close(dial.descriptor) }
        Sockets.close(listener, reset: false)
    }

    @Test("simultaneous dials are all served", arguments: BackendKind.allCases)
    func manyDials(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let server = try rig.outside.serve(isIPv6: false)
        var dials: [(descriptor: Int32, token: OperationToken)] = []
        for _ in 0..<200 {
            let descriptor = rig.loop.openSocket(for: server.address)
            dials.append((descriptor, rig.connect(descriptor, server.address)))
        }
        for dial in dials {
            #expect(try rig.next(dial.token).result == 0)
            rig.loop.close(dial.descriptor)
        }
    }

    @Test("sockets of both kinds probe a quiet peer", arguments: Rig.kernelKinds)
    func keepAlive(kind: BackendKind) throws {
        var rig = try Rig(kind)
        let (accepted, peer) = try rig.accepted()
        let dialled = rig.loop.openSocket(for: SocketAddress(v4: 0x7F00_0001, port: 1))
        for descriptor in [accepted, dialled] {
            #expect(option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == Sockets.keepAliveIdleSeconds)
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_KEEPINTVL) == Sockets.keepAliveIntervalSeconds)
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_KEEPCNT) == Sockets.keepAliveProbes)
            rig.loop.close(descriptor)
        }
        withExtendedLifetime(peer) {}
    }

    private func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        // Safe: the kernel writes the four bytes of the local.
        _ = unsafe getsockopt(descriptor, level, name, &value, &length)
        return value
    }
}
