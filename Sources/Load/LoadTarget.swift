public import System

/// Why a text is not a valid target.
public enum LoadTargetFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case noPort, badPort, noHost, unbracketedIPv6
    /// The resolver has no address for the name.
    case unknownHost(String, reason: String)

    public var description: String {
        switch self {
        case .noPort: "the port is missing: write host:port"
        case .badPort: "the port must be a number from 1 to 65535"
        case .noHost: "the host before the port is missing"
        case .unbracketedIPv6: "an IPv6 address needs brackets: [::1]:443"
        case .unknownHost(let host, let reason): "\(host): \(reason)"
        }
    }
}

/// The target of a run: its text, and its one address, resolved once.
public struct LoadTarget: Hashable, Sendable {
    public let text: String
    public let address: SocketAddress

    public init(text: String, address: SocketAddress) {
        self.text = text
        self.address = address
    }

    /// Resolves `host:port`, `127.0.0.1:80` or `[::1]:80`; of several addresses the first IPv4 one is used. May block.
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
        let addresses: [SocketAddress]
        do throws(ResolverFault) {
            addresses = try SocketAddress.resolve(host, port: port)
        } catch {
            throw .unknownHost(host, reason: "\(error)")
        }
        guard let address = addresses.first(where: { !$0.isIPv6 }) ?? addresses.first else {
            throw .unknownHost(host, reason: "it has no IP address")
        }
        return address
    }
}
