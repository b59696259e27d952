import CLibURing
import Glibc

@testable import EventLoop
import System

/// The loopback interface. Its sockets close with it.
final class KernelWorld: OutsideWorld {
    private var open: [Int32] = []

    deinit {
        for descriptor in open { Sockets.close(descriptor, reset: false) }
    }

    func listen(isIPv6: Bool, backlog: Int32) throws -> (descriptor: Int32, address: SocketAddress) {
        let socket = try ListeningSocket(address: Self.loopback(isIPv6), shared: false, listens: false)
        Self.narrow(socket.descriptor)
        Glibc.listen(socket.descriptor, backlog)
        let address = socket.address
        return (socket.release(), address)
    }

    func dial(_ address: SocketAddress) throws -> any OutsidePeer {
        let descriptor = Sockets.open(for: address, nonBlocking: true)
        Self.narrow(descriptor)
        let peer = KernelPeer(descriptor)
        try peer.connect(to: address)
        return peer
    }

    func serve(isIPv6: Bool) throws -> any OutsideServer {
        let (descriptor, address) = try listen(isIPv6: isIPv6, backlog: 1024)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        open.append(descriptor)
        return KernelServer(descriptor, address)
    }

    func deadAddress() throws -> SocketAddress {
        // Bound, so that nobody else gets the port, but not listening.
        let socket = try ListeningSocket(address: Self.loopback(false), shared: false, listens: false)
        let address = socket.address
        open.append(socket.release())
        return address
    }

    func hangingAddress() throws -> SocketAddress {
        // Linux drops a SYN for which the queue of a listener has no room.
        let (descriptor, address) = try listen(isIPv6: false, backlog: 0)
        open.append(descriptor)
        let filler = KernelPeer(Sockets.open(for: SocketAddress(v4: 0x7f00_0001, port: 0), nonBlocking: true))
        try filler.connect(to: address)
        open.append(filler.release())
        return address
    }

    /// Small buffers, so that a sender soon blocks.
    private static func narrow(_ descriptor: Int32) {
        Sockets.setOption(descriptor, SOL_SOCKET, SO_RCVBUF, 64 * 1024)
        Sockets.setOption(descriptor, SOL_SOCKET, SO_SNDBUF, 64 * 1024)
    }

    static func loopback(_ isIPv6: Bool) -> SocketAddress {
        isIPv6 ? SocketAddress(v6: 0, 1, port: 0) : SocketAddress(v4: 0x7F00_0001, port: 0)
    }
}

final class KernelServer: OutsideServer {
    let address: SocketAddress
    private let descriptor: Int32

    init(_ descriptor: Int32, _ address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    func take() -> (any OutsidePeer)? {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { return nil }
        _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        return KernelPeer(accepted)
    }
}

final class KernelPeer: OutsidePeer {
    private var descriptor: Int32
    private(set) var isFinished = false
    private(set) var wasReset = false

    init(_ descriptor: Int32) {
        precondition(descriptor >= 0, "no socket to be had")
        self.descriptor = descriptor
    }

    deinit {
        if descriptor >= 0 { Sockets.close(descriptor, reset: false) }
    }

    func connect(to address: SocketAddress) throws {
        var storage = sockaddr_storage()
        let length = address.write(to: &storage)
        // Safe: the kernel copies `length` bytes, which were written.
        let result = unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe Glibc.connect(descriptor, pointer, length)
            }
        }
        guard result == 0 || errno == EINPROGRESS else { throw EventLoopFault.systemCall("connect", errno: errno) }
    }

    /// Gives the descriptor to whoever closes it.
    func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    var localAddress: SocketAddress? { SocketAddress(.local, of: descriptor) }

    func write(_ bytes: [UInt8]) -> Int {
        // Safe: the array's bytes, for the call.
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        return max(0, count)
    }

    func read(_ limit: Int) -> [UInt8] {
        // Safe: the closure says how much the kernel wrote, which is no more than fits.
        unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let received = unsafe recv(descriptor, buffer.baseAddress, limit, 0)
            if received == 0 { isFinished = true }
            if received < 0 && (errno == ECONNRESET || errno == EPIPE) { wasReset = true }
            count = max(0, received)
        }
    }

    func shutdownWrite() { Sockets.shutdownWrite(descriptor) }

    func reset() { Sockets.close(release(), reset: true) }

    func close() { Sockets.close(release(), reset: false) }
}
