/// An IPv4 or IPv6 address with a port, in the form that the socket calls take.
public struct SocketAddress: Hashable, Sendable {
    /// Network byte order; the first four bytes of an IPv4 address.
    let high: UInt64
    let low: UInt64
    public let port: UInt16
    public let isIPv6: Bool
    /// The interface that a link-local IPv6 address belongs to; 0 elsewhere.
    let scopeID: UInt32

    /// An IPv4 address given in host byte order.
    public init(v4 address: UInt32, port: UInt16) {
        high = UInt64(address)
        low = 0
        self.port = port
        isIPv6 = false
        scopeID = 0
    }

    /// An IPv6 address given as its two halves in host byte order.
    public init(v6 high: UInt64, _ low: UInt64, port: UInt16, scopeID: UInt32 = 0) {
        self.high = high
        self.low = low
        self.port = port
        isIPv6 = true
        self.scopeID = scopeID
    }

    /// The IPv4 address in host byte order; nil for an IPv6 address.
    public var v4: UInt32? { isIPv6 ? nil : UInt32(truncatingIfNeeded: high) }
    /// The two halves of the IPv6 address in host byte order; nil for an IPv4 address.
    public var v6: (UInt64, UInt64)? { isIPv6 ? (high, low) : nil }

    /// An address of this host's loopback interface: 127.0.0.0/8, also in IPv6, or ::1.
    public var isLoopback: Bool {
        guard isIPv6 else { return high >> 24 == 127 }
        return high == 0 && (low == 1 || low >> 24 == 0xffff_7f)
    }
}
