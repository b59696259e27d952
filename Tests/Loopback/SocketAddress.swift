import Glibc

/// A loopback address and port; written `127.0.0.1:80` or `[::1]:80`.
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Host: Hashable, Sendable { case v4, v6 }

    public var host: Host
    public var port: UInt16

    public init(_ host: Host = .v4, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads what `description` writes; nil for anything that is not a loopback address.
    public init?(parsing text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            return nil
        }
        switch text[..<colon] {
        case "127.0.0.1": self.init(.v4, port: port)
        case "[::1]": self.init(.v6, port: port)
        default: return nil
        }
    }

    public var description: String {
        switch host {
        case .v4: "127.0.0.1:\(port)"
        case .v6: "[::1]:\(port)"
        }
    }
}

extension SocketAddress {
    var family: Int32 { host == .v4 ? AF_INET : AF_INET6 }

    /// Calls `body` with the kernel's form of the address.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch host {
        case .v4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            return unsafe Self.withGeneric(&address, body)
        case .v6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            // A union of plain integers: the last byte of ::1 is in its last 32-bit word.
            unsafe address.sin6_addr.__in6_u.__u6_addr32.3 = UInt32(1).bigEndian
            return unsafe Self.withGeneric(&address, body)
        }
    }

    private static func withGeneric<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        // Every sockaddr_* begins as a sockaddr, and the length passed on is the concrete one.
        unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    /// The local address of a bound socket.
    init?(boundTo descriptor: Int32) {
        var storage = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        // sockaddr_in6 is large enough for both families, and `length` says so to the kernel.
        let outcome = unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe getsockname(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard outcome == 0 else { return nil }
        // The port sits at the same place in sockaddr_in and sockaddr_in6.
        let host: Host = storage.sin6_family == sa_family_t(AF_INET6) ? .v6 : .v4
        self.init(host, port: UInt16(bigEndian: storage.sin6_port))
    }
}
