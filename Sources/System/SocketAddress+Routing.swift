import Glibc

/// What the kernel's firewall and routes say of an address.
extension SocketAddress {
    /// The address that the client of an accepted socket dialled, before a REDIRECT or DNAT rule of this network
    /// namespace changed it; nil where connection tracking knows nothing of the connection.
    ///
    /// - Parameter isIPv6: the family of the socket.
    public init?(beforeRedirectionOf descriptor: Int32, isIPv6: Bool) {
        var storage = sockaddr_storage()
        guard Self.originalDestination(descriptor, isIPv6: isIPv6, &storage) == 0 else { return nil }
        self.init(reading: storage, length: socklen_t(MemoryLayout<sockaddr_storage>.size))
    }

    /// Zero, or the errno with which the kernel refuses to tell: ENOPROTOOPT where it has no connection tracking.
    public static func originalDestinationFault(_ descriptor: Int32, isIPv6: Bool) -> Int32 {
        var storage = sockaddr_storage()
        return originalDestination(descriptor, isIPv6: isIPv6, &storage)
    }

    /// `0.0.0.0` or `::`: no host's address.
    public var isWildcard: Bool { high == 0 && low == 0 && !isUnix }

    /// Whether both name the same host address, whatever the ports.
    public func isSameHost(as other: SocketAddress) -> Bool {
        isIPv6 == other.isIPv6 && high == other.high && low == other.low && unixName == other.unixName
    }

    /// The loopback address of the same family, with the same port.
    public var onLoopback: SocketAddress {
        isIPv6 ? SocketAddress(v6: 0, 1, port: port) : SocketAddress(v4: 0x7F00_0001, port: port)
    }

    /// Whether packets to the address stay on this host: the kernel is asked for its route.
    ///
    /// Not by a bind, which net.ipv4.ip_nonlocal_bind lets succeed for every address. A few microseconds; nothing is
    /// sent.
    public var isOfThisHost: Bool {
        if isLoopback || isWildcard || isUnix { return true }
        let number = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // Without a descriptor nothing can be dialled either: fail closed.
        guard number >= 0 else { return true }
        let descriptor = OwnedDescriptor(number)
        let target = port == 0 ? with(port: Self.discardPort) : self
        guard target.connect(descriptor.number) == 0 else { return false }
        // To one of its own addresses a host sends from that address.
        guard let local = SocketAddress(.local, of: descriptor.number) else { return true }
        return local.isSameHost(as: self)
    }

    private func with(port: UInt16) -> SocketAddress {
        isIPv6
            ? SocketAddress(v6: high, low, port: port, scopeID: scopeID)
            : SocketAddress(v4: UInt32(truncatingIfNeeded: high), port: port)
    }

    private static func originalDestination(
        _ descriptor: Int32, isIPv6: Bool, _ storage: inout sockaddr_storage
    ) -> Int32 {
        let level = Int32(isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP)
        var length = socklen_t(isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        // Safe: the kernel writes at most `length` bytes, and the storage is larger than either address.
        let result = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe getsockopt(descriptor, level, originalDestinationOption, $0, &length)
        }
        return result == 0 ? 0 : errno
    }

    /// SO_ORIGINAL_DST of linux/netfilter_ipv4.h, and IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv6/ip6_tables.h.
    private static let originalDestinationOption: Int32 = 80
    private static let discardPort: UInt16 = 9
}
