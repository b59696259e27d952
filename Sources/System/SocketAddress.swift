/// An IPv4 or IPv6 address with a port, or the name of a Unix socket, in the form that the socket calls take.
public struct SocketAddress: Hashable, Sendable {
    /// Network byte order; the first four bytes of an IPv4 address.
    let high: UInt64
    let low: UInt64
    public let port: UInt16
    public let isIPv6: Bool
    /// The interface that a link-local IPv6 address belongs to; 0 elsewhere.
    public let scopeID: UInt32
    /// A Unix socket: its path, `@name` in the abstract namespace (unix(7)), or nothing if it has no name. Nil: IP.
    public let unixName: String?

    /// An IPv4 address given in host byte order.
    public init(v4 address: UInt32, port: UInt16) {
        high = UInt64(address)
        low = 0
        self.port = port
        isIPv6 = false
        scopeID = 0
        unixName = nil
    }

    /// A Unix socket, by its path, or by `@name` in the abstract namespace; at most 107 bytes, which the caller checks.
    public init(unix name: String) {
        precondition(name.utf8.count < Self.unixNameBytes, "a Unix socket's name is at most 107 bytes long")
        high = 0
        low = 0
        port = 0
        isIPv6 = false
        scopeID = 0
        unixName = name
    }

    /// An IPv6 address given as its two halves in host byte order.
    public init(v6 high: UInt64, _ low: UInt64, port: UInt16, scopeID: UInt32 = 0) {
        self.high = high
        self.low = low
        self.port = port
        isIPv6 = true
        self.scopeID = scopeID
        unixName = nil
    }

    public var isUnix: Bool { unixName != nil }
    /// The IPv4 address in host byte order; nil for another address.
    public var v4: UInt32? { isIPv6 || isUnix ? nil : UInt32(truncatingIfNeeded: high) }
    /// The two halves of the IPv6 address in host byte order; nil for another address.
    public var v6: (UInt64, UInt64)? { isIPv6 ? (high, low) : nil }

    /// The length of `sun_path`.
    static let unixNameBytes = 108

    /// An address of this host's loopback interface: 127.0.0.0/8, also in IPv6, or ::1.
    public var isLoopback: Bool {
        guard isIPv6 else { return high >> 24 == 127 }
        return high == 0 && (low == 1 || low >> 24 == 0xffff_7f)
    }
}
