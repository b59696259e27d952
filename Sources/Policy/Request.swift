public import Identity

/// What a policy decides on: who asks, from where, and for what.
public struct Request: Sendable {
    /// Nil: a client of plaintext, which has proved nothing.
    public var identity: SPIFFEID? { hasIdentity ? peer : nil }
    let hasIdentity: Bool
    /// Of no meaning without identity: then no pattern matches it. It is no optional, because a decision would copy
    /// what is in one.
    let peer: SPIFFEID
    /// Never an IPv4-mapped IPv6 address.
    public let source: IPAddress
    public let destinationPort: UInt16
    /// The name that the client sent (SNI), if it sent one.
    public let serverName: String?

    public init(identity: SPIFFEID?, source: IPAddress, destinationPort: UInt16, serverName: String?) {
        hasIdentity = identity != nil
        peer = identity ?? Self.nobody
        self.source = source.folded
        self.destinationPort = destinationPort
        self.serverName = serverName
    }

    private static let nobody: SPIFFEID = {
        do throws(SPIFFEIDFlaw) {
            return try SPIFFEID(parsing: "spiffe://nobody")
        } catch {
            preconditionFailure("\(error)")
        }
    }()
}
