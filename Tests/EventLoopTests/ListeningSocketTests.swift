import Glibc
import System
import Testing

@testable import EventLoop

@Suite("Listening sockets")
struct ListeningSocketTests {
    private static func addresses(port: UInt16) -> [SocketAddress] {
        [SocketAddress(v4: 0x7F00_0001, port: port), SocketAddress(v6: 0, 1, port: port)]
    }

    @Test(
        "workers share one address, and the port asked of the kernel is the same for all", arguments: addresses(port: 0)
    )
    func shared(address: SocketAddress) throws {
        let group = try ListeningSocket.group(address: address, count: 3)
        #expect(group.descriptors.count == 3)
        #expect(group.address.port != 0)
        for descriptor in group.descriptors {
            #expect(SocketAddress(.local, of: descriptor) == group.address)
            close(descriptor)
        }
    }

    @Test("a port in use is refused, however many workers each side has", arguments: [1, 3], [1, 3])
    func inUse(holders: Int, newcomers: Int) throws {
        let held = try ListeningSocket.group(address: Self.addresses(port: 0)[0], count: holders)
        #expect(throws: EventLoopFault.systemCall("bind", errno: EADDRINUSE)) {
            try ListeningSocket.group(address: held.address, count: newcomers)
        }
        for descriptor in held.descriptors { close(descriptor) }
        // Once it is free it can be bound.
        let again = try ListeningSocket.group(address: held.address, count: newcomers)
        for descriptor in again.descriptors { close(descriptor) }
    }

    @Test("an address that is not ours cannot be bound")
    func foreign() {
        #expect(throws: EventLoopFault.systemCall("bind", errno: EADDRNOTAVAIL)) {
            try ListeningSocket.group(address: SocketAddress(v4: 0xC000_0201, port: 0), count: 2)
        }
    }

    @Test("an IPv6 listener leaves the IPv4 port to others")
    func separateFamilies() throws {
        let six = try ListeningSocket.group(address: SocketAddress(v6: 0, 0, port: 0), count: 1)
        let four = try ListeningSocket.group(address: SocketAddress(v4: 0, port: six.address.port), count: 1)
        for descriptor in six.descriptors + four.descriptors { close(descriptor) }
    }

    @Test("a socket that was not handed over closes with its owner")
    func closes() throws {
        let descriptor: Int32
        do {
            let socket = try ListeningSocket(address: Self.addresses(port: 0)[0], shared: false)
            descriptor = socket.descriptor
            // Freed and not used again at once, so that this process's other threads cannot take the number.
            let kept = dup(descriptor)
            #expect(kept >= 0)
            close(kept)
        }
        #expect(descriptor >= 0)
    }
}
