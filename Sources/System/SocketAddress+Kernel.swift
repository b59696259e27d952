public import Glibc

/// Which end of a socket an address is asked for.
public enum SocketEnd: Sendable {
    case local, peer
}

/// The address in the kernel's forms, and the calls that take it.
extension SocketAddress {
    /// AF_INET or AF_INET6.
    public var family: Int32 { isIPv6 ? AF_INET6 : AF_INET }

    /// Fills `storage` and returns the length to pass beside it.
    public func write(to storage: inout sockaddr_storage) -> socklen_t {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scopeID
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

    /// Reads an address that the system wrote; nil for another family.
    init?(reading storage: sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            // Safe: the family says which structure was written.
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in.self) }
            self.init(v4: UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            // Safe: as above.
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.load(as: sockaddr_in6.self) }
            let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            self.init(
                v6: high, low, port: UInt16(bigEndian: address.sin6_port), scopeID: address.sin6_scope_id)
        default:
            return nil
        }
    }

    /// The address of an end of a socket; nil if it has none or its family is not IP.
    public init?(_ end: SocketEnd, of descriptor: Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // Safe: the kernel writes at most `length` bytes into the storage, which is as large as any address.
        let result = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                switch end {
                case .local: unsafe getsockname(descriptor, address, &length)
                case .peer: unsafe getpeername(descriptor, address, &length)
                }
            }
        }
        guard result == 0 else { return nil }
        self.init(reading: storage)
    }

    /// Binds a socket to the address: zero, or a negated errno.
    public func bind(_ descriptor: Int32) -> Int32 {
        // Safe: `length` is what was written into the storage, which outlives the call.
        unsafe withPointer { address, length in unsafe Int(Glibc.bind(descriptor, address, length)) }
    }

    /// Connects a socket to the address: zero, or a negated errno, including EINPROGRESS for a non-blocking socket.
    public func connect(_ descriptor: Int32) -> Int32 {
        // Safe: as above.
        unsafe withPointer { address, length in unsafe Int(Glibc.connect(descriptor, address, length)) }
    }

    private func withPointer(_ call: (UnsafePointer<sockaddr>, socklen_t) -> Int) -> Int32 {
        var storage = sockaddr_storage()
        let length = write(to: &storage)
        return unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Int32(systemCall { unsafe call(address, length) })
            }
        }
    }
}
