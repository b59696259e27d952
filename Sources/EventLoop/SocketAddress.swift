import CLibURing
import Glibc

/// An IPv4 or IPv6 address with a port, in the form that the socket calls take.
public struct SocketAddress: Hashable, Sendable {
    /// Network byte order; the first four bytes of an IPv4 address.
    let high: UInt64
    let low: UInt64
    public let port: UInt16
    public let isIPv6: Bool

    /// An IPv4 address given in host byte order.
    public init(v4 address: UInt32, port: UInt16) {
        high = UInt64(address)
        low = 0
        self.port = port
        isIPv6 = false
    }

    /// An IPv6 address given as its two halves in host byte order.
    public init(v6 high: UInt64, _ low: UInt64, port: UInt16) {
        self.high = high
        self.low = low
        self.port = port
        isIPv6 = true
    }

    /// The IPv4 address in host byte order; nil of an IPv6 address.
    public var v4: UInt32? { isIPv6 ? nil : UInt32(truncatingIfNeeded: high) }
    /// The two halves of the IPv6 address in host byte order; nil of an IPv4 address.
    public var v6: (UInt64, UInt64)? { isIPv6 ? (high, low) : nil }

    /// An address of this host's loopback interface: 127.0.0.0/8, also in IPv6, or ::1.
    public var isLoopback: Bool {
        guard isIPv6 else { return high >> 24 == 127 }
        return high == 0 && (low == 1 || low >> 24 == 0xffff_7f)
    }

    /// Fills `storage` and returns the length to pass beside it.
    func write(to storage: inout sockaddr_storage) -> socklen_t {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            // Safe: sin6_addr is sixteen bytes of any alignment, filled with two eight-byte stores.
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { bytes in
                unsafe bytes.storeBytes(of: high.bigEndian, as: UInt64.self)
                unsafe bytes.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            // Safe: sockaddr_storage is as large and as aligned as any socket address.
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
            return socklen_t(MemoryLayout<sockaddr_in6>.size)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(truncatingIfNeeded: high).bigEndian
        // Safe: as above.
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
        return socklen_t(MemoryLayout<sockaddr_in>.size)
    }

    /// Reads an address that the kernel wrote; nil of another family.
    init?(reading storage: sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            // Safe: the family says which structure the kernel wrote.
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in.self) }
            self.init(v4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            // Safe: as above.
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in6.self) }
            let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.load(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(v6: high, low, port: UInt16(bigEndian: address.sin6_port))
        default:
            return nil
        }
    }
}
