import Policy

/// Why a text is not an endpoint.
public enum EndpointFlaw: Error, Hashable, Sendable, CustomStringConvertible {
    case noPort, noAddress, badPort, unbracketedIPv6, localhost, hostName, badAddress
    case url, unixSocket, variable
    case badName, socketName(UnixAddressFlaw), serviceWithPort, serviceLabels

    public var description: String {
        switch self {
        case .noPort: "the port is missing"
        case .noAddress:
            "the address before the port is missing: 127.0.0.1 for this host, 0.0.0.0 for every address of it"
        case .url: "an endpoint has neither scheme nor path"
        case .unixSocket: "a Unix socket has no place here: write an IP address and a port"
        case .variable: "variables are not replaced in this file: write the address itself"
        case .badPort: "the port must be a number up to 65535"
        case .unbracketedIPv6: "an IPv6 address needs brackets"
        case .localhost: "names are not resolved: write 127.0.0.1 or \"[::1]\""
        case .hostName: "names are not resolved: write an IP address"
        case .badAddress: "not an IP address"
        case .badName: "neither an IP address nor a host name"
        case .socketName(let flaw): "\(flaw)"
        case .serviceWithPort: "SRV records name the port: leave it out"
        case .serviceLabels: "the name of SRV records begins with service and protocol: srv:_orders._tcp.example.org"
        }
    }
}

extension Endpoint {
    /// An endpoint from `127.0.0.1:80` or `[::1]:80`.
    public init(parsing text: String) throws(EndpointFlaw) {
        if let flaw = Self.flaw(ofForm: text) { throw flaw }
        guard let colon = text.lastIndex(of: ":") else { throw Self.flaw(withoutPort: text) }
        var host = String(text[..<colon])
        if host.first == "[" && host.last == "]" {
            host = String(host.dropFirst().dropLast())
            guard host.contains(":") else { throw .badAddress }
        } else if host.contains(":") {
            throw text.last == "]" ? .noPort : .unbracketedIPv6
        }
        guard let address = IPAddress(parsing: host) else { throw Self.flaw(ofHost: host) }
        guard let port = decimal(String(text[text.index(after: colon)...])).flatMap(UInt16.init(exactly:)) else {
            throw .badPort
        }
        self.init(address: address, port: port)
    }

    /// What the text is instead of an endpoint, if recognisable.
    private static func flaw(ofForm text: String) -> EndpointFlaw? {
        if text.contains("$") { return .variable }
        if text.hasPrefix("unix:") || text.hasPrefix("/") || text.hasPrefix("@") { return .unixSocket }
        return text.contains("://") ? .url : nil
    }

    private static func flaw(withoutPort text: String) -> EndpointFlaw {
        if decimal(text) != nil { return .noAddress }
        let flaw = flaw(ofHost: text)
        return flaw == .badAddress ? .noPort : flaw
    }

    private static func flaw(ofHost host: String) -> EndpointFlaw {
        if host.isEmpty { return .noAddress }
        if host == "localhost" { return .localhost }
        let hasLetter = host.unicodeScalars.contains { $0.properties.isAlphabetic }
        return hasLetter && !host.contains(":") ? .hostName : .badAddress
    }
}

extension UpstreamEndpoint {
    /// An endpoint from `127.0.0.1:80`, `[::1]:80`, `name:80`, `srv:_service._tcp.name`, `unix:/path` or
    /// `unix:@name`.
    public init(parsing text: String) throws(EndpointFlaw) {
        if text.hasPrefix("srv:") {
            self = .service(try Self.service(text.dropFirst(4)))
            return
        }
        if text.hasPrefix("unix:") {
            do throws(UnixAddressFlaw) {
                self = .unix(try UnixAddress(parsing: String(text.dropFirst(5))))
            } catch {
                throw .socketName(error)
            }
            return
        }
        do throws(EndpointFlaw) {
            self = .address(try Endpoint(parsing: text))
        } catch {
            guard error == .hostName || error == .localhost else { throw error }
            guard let colon = text.lastIndex(of: ":") else { throw .noPort }
            guard let name = HostName(parsing: String(text[..<colon])) else { throw .badName }
            guard let port = decimal(String(text[text.index(after: colon)...])).flatMap(UInt16.init(exactly:)) else {
                throw .badPort
            }
            self = .host(name, port: port)
        }
    }

    private static func service(_ text: Substring) throws(EndpointFlaw) -> HostName {
        guard !text.contains(":") else { throw .serviceWithPort }
        guard let name = HostName(parsing: String(text)) else { throw .badName }
        guard name.hasServiceLabels else { throw .serviceLabels }
        return name
    }
}
