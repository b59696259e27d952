public import EventLoop
import Glibc

/// Why a text names no target.
public enum LoadTargetFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case noPort, badPort, noHost, unbracketedIPv6
    /// The resolver has no address for the name.
    case unknownHost(String, reason: String)

    public var description: String {
        switch self {
        case .noPort: "the port is missing: write host:port"
        case .badPort: "the port must be a number from 1 to 65535"
        case .noHost: "the host before the port is missing"
        case .unbracketedIPv6: "an IPv6 address stands in brackets: [::1]:443"
        case .unknownHost(let host, let reason): "\(host): \(reason)"
        }
    }
}

/// Where load goes: the text that named it, and its one address, resolved once.
public struct LoadTarget: Hashable, Sendable {
    public let text: String
    public let address: SocketAddress

    public init(text: String, address: SocketAddress) {
        self.text = text
        self.address = address
    }

    /// Resolves `host:port`, `127.0.0.1:80` or `[::1]:80`; of several addresses the first IPv4 one is taken. May block.
    public init(resolving text: String) throws(LoadTargetFlaw) {
        guard let colon = text.lastIndex(of: ":"), text.last != "]" else { throw .noPort }
        var host = String(text[..<colon])
        if host.first == "[", host.last == "]" {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw .unbracketedIPv6
        }
        guard !host.isEmpty else { throw .noHost }
        let digits = text[text.index(after: colon)...]
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits), port > 0 else {
            throw .badPort
        }
        self.text = text
        address = try Self.resolve(host, port)
    }

    private static func resolve(_ host: String, _ port: UInt16) throws(LoadTargetFlaw) -> SocketAddress {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // Safe: the C string lives for the call, which fills `list`; it is freed below, after its last use.
        let code = unsafe getaddrinfo(host, nil, &hints, &list)
        guard code == 0 else {
            throw .unknownHost(host, reason: unsafe String(cString: gai_strerror(code)))
        }
        defer { unsafe freeaddrinfo(list) }
        var found: SocketAddress?
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe Self.address(entry.pointee, port), found == nil || (found?.isIPv6 == true) {
                if found == nil || !address.isIPv6 { found = address }
            }
            unsafe next = entry.pointee.ai_next
        }
        guard let found else { throw .unknownHost(host, reason: "it has no IP address") }
        return found
    }

    private static func address(_ entry: addrinfo, _ port: UInt16) -> SocketAddress? {
        guard let pointer = unsafe entry.ai_addr else { return nil }
        // Safe: the family says which structure the resolver made.
        let bytes = UnsafeRawPointer(pointer)
        switch unsafe entry.ai_family {
        case AF_INET:
            let address = unsafe bytes.loadUnaligned(as: sockaddr_in.self)
            return SocketAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr), port: port)
        case AF_INET6:
            let address = unsafe bytes.loadUnaligned(as: sockaddr_in6.self)
            let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) { bytes in
                unsafe (
                    UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                    UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                )
            }
            return SocketAddress(v6: high, low, port: port)
        default: return nil
        }
    }
}
