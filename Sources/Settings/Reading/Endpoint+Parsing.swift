import Policy

/// Why a text is not an endpoint.
public enum EndpointFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case noPort, badPort, unbracketedIPv6, hostName, badAddress

    public var description: String {
        switch self {
        case .noPort: "the port is missing"
        case .badPort: "the port must be a number up to 65535"
        case .unbracketedIPv6: "an IPv6 address stands in brackets"
        case .hostName: "names are not resolved: write an IP address"
        case .badAddress: "not an IP address"
        }
    }
}

extension Endpoint {
    /// An endpoint from `127.0.0.1:80` or `[::1]:80`.
    public init(parsing text: String) throws(EndpointFlaw) {
        guard let colon = text.lastIndex(of: ":") else {
            throw IPAddress(parsing: text) != nil ? .noPort : Self.looksLikeName(text) ? .hostName : .noPort
        }
        var host = text[..<colon]
        if host.first == "[" && host.last == "]" {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { throw .badAddress }
        } else if host.contains(":") {
            throw text.hasSuffix("]") && text.hasPrefix("[") ? .noPort : .unbracketedIPv6
        }
        guard let address = IPAddress(parsing: String(host)) else {
            throw Self.looksLikeName(String(host)) ? .hostName : .badAddress
        }
        guard let port = decimal(String(text[text.index(after: colon)...])).flatMap(UInt16.init(exactly:)) else {
            throw .badPort
        }
        self.init(address: address, port: port)
    }

    private static func looksLikeName(_ text: String) -> Bool {
        text.unicodeScalars.contains { ("a"..."z").contains($0) || ("A"..."Z").contains($0) }
            && !text.contains(":")
    }
}
