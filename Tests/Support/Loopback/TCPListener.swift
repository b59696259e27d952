import CLoopback
import Glibc
import PosternTesting
import Synchronization
import System

/// A listening TCP socket on the loopback interface.
public final class TCPListener: Sendable {
    private let descriptor: Int32
    public let address: SocketAddress

    /// Binds and listens; port 0 takes a free one.
    public init(
        _ wanted: SocketAddress = SocketAddress(port: 0), backlog: Int32 = 1024, receiveBufferBytes: Int32? = nil
    ) throws(SocketFault) {
        let descriptor = Glibc.socket(wanted.system.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SocketFault(call: "socket", errno: errno) }
        TCPConnection.setOption(descriptor, Int(SOL_SOCKET), SO_REUSEADDR, 1)
        if let receiveBufferBytes {
            TCPConnection.setOption(descriptor, Int(SOL_SOCKET), SO_RCVBUF, receiveBufferBytes)
        }
        let bound = wanted.system.bind(descriptor)
        guard bound == 0, Glibc.listen(descriptor, backlog) == 0,
            let address = SocketAddress(boundTo: descriptor)
        else {
            let code = bound < 0 ? 0 - bound : errno
            Glibc.close(descriptor)
            throw SocketFault(call: "listen", errno: code)
        }
        TCPConnection.setNonblocking(descriptor, true)
        self.descriptor = descriptor
        self.address = address
    }

    deinit { Glibc.close(descriptor) }

    public var number: Int32 { descriptor }

    /// Waits for a connection.
    public func accept(within limit: Duration = .seconds(10)) throws(SocketFault) -> TCPConnection {
        let deadline = Deadline.within(limit)
        while true {
            let accepted = CLoopback.accept4(
                descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
            if accepted >= 0 { return TCPConnection(adopting: accepted) }
            switch errno {
            case EAGAIN:
                try TCPConnection.wait(descriptor, for: Int16(POLLIN), until: deadline, reason: "a connection")
            case EINTR, ECONNABORTED: continue
            default: throw SocketFault(call: "accept", errno: errno)
            }
        }
    }

    /// Accepts a connection that has come already, if any.
    public func acceptPending() -> TCPConnection? {
        let accepted = CLoopback.accept4(descriptor, nil, nil, Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue))
        return accepted >= 0 ? TCPConnection(adopting: accepted) : nil
    }

    /// Makes a waiting `accept` fail, now and ever after.
    public func stop() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// A port that nothing listens on at this moment.
    public static func freePort(_ host: SocketAddress.Host = .v4) throws(SocketFault) -> UInt16 {
        try TCPListener(SocketAddress(host, port: 0), backlog: 1).address.port
    }
}
