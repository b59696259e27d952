public import Identity

/// What a policy decides on: who asks, from where, and for what.
public struct Request: Sendable {
    /// Nil: a client of plaintext, which has proved nothing.
    public let identity: SPIFFEID?
    /// Never an IPv4-mapped IPv6 address.
    public let source: IPAddress
    public let destinationPort: UInt16
    /// The name that the client sent (SNI), if it sent one.
    public let serverName: String?

    public init(identity: SPIFFEID?, source: IPAddress, destinationPort: UInt16, serverName: String?) {
        self.identity = identity
        self.source = source.folded
        self.destinationPort = destinationPort
        self.serverName = serverName
    }
}
