import Glibc
import System
import Testing

@testable import EventLoop

@Suite("Congestion control")
struct CongestionControlTests {
    @Test(
        "is Reno for sockets of the loopback interface, and the system's for all others",
        arguments: [
            (SocketAddress(v4: 0x7f00_0001, port: 80), true), (SocketAddress(v4: 0x7fff_fffe, port: 80), true),
            (SocketAddress(v4: 0x0a00_0001, port: 80), false), (SocketAddress(v4: 0, port: 80), false),
            (SocketAddress(v6: 0, 1, port: 80), true), (SocketAddress(v6: 0, 0xffff_7f00_0001, port: 80), true),
            (SocketAddress(v6: 0, 0xffff_0a00_0001, port: 80), false), (SocketAddress(v6: 0, 0, port: 80), false),
            (SocketAddress(v6: 0xfe80 << 48, 1, port: 80), false),
        ])
    func choice(address: SocketAddress, isLoopback: Bool) throws {
        #expect(address.isLoopback == isLoopback)
        let stock = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(stock) }
        let descriptor = Sockets.open(for: address, nonBlocking: false)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(congestionControl(of: descriptor) == (isLoopback ? "reno" : congestionControl(of: stock)))
    }

    private func congestionControl(of descriptor: Int32) -> String {
        var name = [CChar](repeating: 0, count: 16)
        var length = socklen_t(name.count)
        // Safe: the kernel writes at most `length` bytes.
        let result = unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CONGESTION, &name, &length)
        return result == 0 ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) : "none"
    }
}
