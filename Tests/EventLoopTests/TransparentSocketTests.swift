import EventLoop
import System
import Testing

/// They take CAP_NET_ADMIN, and fail without.
@Suite("Sockets of transparent proxying")
struct TransparentSocketTests {
    @Test("what is dialled has its mark, and the address to dial from", arguments: [BackendKind.ioURing, .epoll])
    func dialled(kind: BackendKind) throws {
        var loop = kind == .epoll ? try EventLoop.epoll(LoopLimits()) : try EventLoop.ioURing(LoopLimits())
        let target = SocketAddress(v4: 0x7F00_0001, port: 9)
        let plain = loop.openSocket(for: target)
        #expect(plain >= 0 && loop.mark(of: plain) == 0)
        // Of no host: it is of a block for documentation.
        let source = SocketAddress(v4: 0xC000_0209, port: 4_711)
        let marked = loop.openSocket(for: target, DialOptions(mark: 0xFFFF_FFFE, source: source))
        try #require(marked >= 0)
        #expect(loop.mark(of: marked) == 0xFFFF_FFFE)
        let local = loop.localAddress(of: marked)
        #expect(local?.isSameHost(as: source) == true && local?.port == 0, "the port is chosen at the connect")
        let sixth = SocketAddress(v6: 0x2001_0DB8_0000_0000, 7, port: 1)
        let other = loop.openSocket(for: SocketAddress(v6: 0, 1, port: 9), DialOptions(source: sixth))
        try #require(other >= 0)
        #expect(loop.localAddress(of: other)?.isSameHost(as: sixth) == true)
        for descriptor in [plain, marked, other] { loop.close(descriptor) }
    }

    @Test("an option that the kernel refuses leaves no socket behind")
    func refused() throws {
        var loop = try EventLoop.epoll(LoopLimits())
        // An IPv6 address to dial an IPv4 one from.
        let options = DialOptions(source: SocketAddress(v6: 0, 1, port: 0))
        #expect(loop.openSocket(for: SocketAddress(v4: 0x7F00_0001, port: 9), options) < 0)
    }

    @Test("what is of this host is asked of its routes")
    func ownAddresses() {
        let cases: [(SocketAddress, Bool)] = [
            (SocketAddress(v4: 0x7F00_0001, port: 80), true), (SocketAddress(v4: 0x7FFF_FF03, port: 0), true),
            (SocketAddress(v4: 0, port: 80), true), (SocketAddress(v6: 0, 1, port: 80), true),
            (SocketAddress(v4: 0xC000_0207, port: 80), false), (SocketAddress(v4: 0xC000_0207, port: 0), false),
            (SocketAddress(v6: 0x2001_0DB8_0000_0000, 7, port: 80), false),
        ]
        for (address, isOwn) in cases { #expect(address.isOfThisHost == isOwn, "\(address)") }
    }

    @Test("a listener that accepts for other addresses is bound like any other; what the kernel offers is told")
    func listening() throws {
        let group = try ListeningSocket.group(
            address: SocketAddress(v4: 0x7F00_0001, port: 0), count: 2, transparent: true)
        #expect(group.descriptors.count == 2 && group.address.port != 0)
        for descriptor in group.descriptors { closeDescriptor(descriptor) }
        for isIPv6 in [false, true] {
            #expect(TransparentSupport.transparentSockets(isIPv6: isIPv6) == 0)
            #expect(TransparentSupport.originalDestinations(isIPv6: isIPv6) == 0)
        }
        #expect(TransparentSupport.marks(1) == 0)
    }
}
