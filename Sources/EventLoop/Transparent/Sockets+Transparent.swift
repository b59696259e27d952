import CLibURing
import Glibc
import System

/// The socket options of transparent proxying. They take CAP_NET_ADMIN.
extension Sockets {
    /// Zero, or a negated errno.
    static func apply(_ options: DialOptions, to descriptor: Int32) -> Int32 {
        if options.mark != 0 {
            let result = setMark(options.mark, of: descriptor)
            guard result == 0 else { return result }
        }
        guard let source = options.source else { return 0 }
        let result = makeTransparent(descriptor, isIPv6: source.isIPv6)
        guard result == 0 else { return result }
        // Without a port of its own: it is chosen at the connect, and may be used towards each destination once.
        let noPort = require(descriptor, Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        guard noPort == 0 else { return noPort }
        return source.withoutPort.bind(descriptor)
    }

    /// Lets a socket accept connections to, or dial from, addresses that are not of this host.
    static func makeTransparent(_ descriptor: Int32, isIPv6: Bool) -> Int32 {
        isIPv6
            ? require(descriptor, Int32(IPPROTO_IPV6), IPV6_TRANSPARENT, 1)
            : require(descriptor, Int32(IPPROTO_IP), IP_TRANSPARENT, 1)
    }

    /// The mark of a socket; where net.ipv4.tcp_fwmark_accept is set, an accepted one has that of its client's packets.
    static func mark(of descriptor: Int32) -> UInt32 {
        var value: UInt32 = 0
        var length = socklen_t(MemoryLayout<UInt32>.size)
        // Safe: the kernel writes four bytes at most.
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_MARK, &value, &length)
        return result == 0 ? value : 0
    }

    /// Sets an option without which the socket must not be used: zero, or a negated errno.
    private static func require(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) -> Int32 {
        var value = value
        // Safe: the kernel copies the four bytes during the call.
        return Int32(
            systemCall {
                unsafe Int(setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)))
            })
    }
}

extension SocketAddress {
    fileprivate var withoutPort: SocketAddress {
        if let v4 { return SocketAddress(v4: v4, port: 0) }
        let (high, low) = v6 ?? (0, 0)
        return SocketAddress(v6: high, low, port: 0, scopeID: scopeID)
    }
}
