public import Identity

/// The bundle endpoint of a federated trust domain (SPIFFE Federation 5).
public struct BundleEndpoint: Hashable, Sendable {
    /// How the server is authenticated.
    public enum Profile: Hashable, Sendable {
        /// By host name and web PKI, or the root certificates in a PEM file.
        case web(authorities: String?)
        /// By SPIFFE ID, with the bundle in the file until the endpoint has delivered its own.
        case spiffe(SPIFFEID, bundle: String)
    }

    public var trustDomain: TrustDomain
    public var url: HTTPSURL
    public var profile: Profile
    /// How long the last good bundle is used without a successful poll.
    public var staleAfterMilliseconds: Int

    public init(trustDomain: TrustDomain, url: HTTPSURL, profile: Profile, staleAfterMilliseconds: Int) {
        self.trustDomain = trustDomain
        self.url = url
        self.profile = profile
        self.staleAfterMilliseconds = staleAfterMilliseconds
    }
}

/// `https://host[:port]/path`, nothing else.
public struct HTTPSURL: Hashable, Sendable, CustomStringConvertible {
    /// A host name, or an IP address without brackets.
    public let host: String
    public let port: UInt16
    /// With its leading slash, and its query if it has one.
    public let path: String
    public let description: String

    /// Nil for any other text.
    public init?(parsing text: String) {
        let scheme = "https://"
        guard text.hasPrefix(scheme), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = String(rest.prefix { $0 != "/" && $0 != "?" })
        guard !authority.contains("@") else { return nil }
        let tail = String(rest.dropFirst(authority.count))
        path = tail.hasPrefix("/") ? tail : "/" + tail
        var name = authority
        var number: UInt16? = 443
        if let colon = authority.lastIndex(of: ":"), authority.last != "]" {
            name = String(authority[..<colon])
            number = decimal(String(authority[authority.index(after: colon)...])).flatMap(UInt16.init(exactly:))
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        guard let number, number != 0, !name.isEmpty, name.utf8.count <= 253 else { return nil }
        host = name
        port = number
        description = text
    }
}
