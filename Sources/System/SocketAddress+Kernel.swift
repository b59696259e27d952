public import Glibc

/// Which end of a socket an address is asked for.
public enum SocketEnd: Sendable {
    case local, peer
}

/// The address in the kernel's forms, and the calls that take it.
extension SocketAddress {
    /// AF_INET, AF_INET6 or AF_UNIX.
    public var family: Int32 { isUnix ? AF_UNIX : isIPv6 ? AF_INET6 : AF_INET }

    /// Fills `storage` and returns the length to pass beside it.
    public func write(to storage: inout sockaddr_storage) -> socklen_t {
        if let unixName { return write(unix: unixName, to: &storage) }
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

    /// The length tells an abstract name, which may hold anything, from a path, which ends with NUL.
    private func write(unix name: String, to storage: inout sockaddr_storage) -> socklen_t {
        storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        let isAbstract = name.hasPrefix("@")
        let bytes = isAbstract ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8)
        // Safe: the name is shorter than `sun_path`, which the storage has room for behind the family.
        unsafe withUnsafeMutableBytes(of: &storage) { storage in
            unsafe UnsafeMutableRawBufferPointer(rebasing: storage[Self.unixNameOffset...]).copyBytes(from: bytes)
        }
        return socklen_t(Self.unixNameOffset + bytes.count + (isAbstract || bytes.isEmpty ? 0 : 1))
    }

    private init(unix storage: sockaddr_storage, length: Int) {
        // Safe: the storage is larger than the family and `sun_path` together.
        var bytes = unsafe withUnsafeBytes(of: storage) { storage in
            unsafe Array(storage[Self.unixNameOffset..<max(Self.unixNameOffset, min(length, storage.count))])
        }
        if bytes.first == 0 {
            bytes[0] = UInt8(ascii: "@")
        } else if let end = bytes.firstIndex(of: 0) {
            bytes.removeSubrange(end...)
        }
        // Another program's name may be of any bytes.
        let name = String(decoding: bytes, as: UTF8.self)
        self.init(unix: name.utf8.count < Self.unixNameBytes ? name : "")
    }

    /// Of `sun_path`, behind the family.
    private static let unixNameOffset = MemoryLayout<sa_family_t>.size

    /// Reads an address that the system wrote; nil for another family.
    ///
    /// - Parameter length: as the system said; it matters for a Unix socket only.
    init?(reading storage: sockaddr_storage, length: socklen_t) {
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
        case AF_UNIX:
            self.init(unix: storage, length: Int(length))
        default:
            return nil
        }
    }

    /// The address of an end of a socket; nil if it has none.
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
        self.init(reading: storage, length: length)
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
