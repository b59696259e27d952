public import Identity
public import Policy
public import Settings

/// The hypothetical connection that `explain` decides about.
public struct Question: Sendable {
    /// The client's ID on an inbound listener, the server's on an outbound one.
    /// Nil: the client sends plaintext, which a permissive listener may take.
    public var identity: SPIFFEID?
    public var source: IPAddress
    public var serverName: String?
    public var applicationProtocol: String?
    /// Nil: the port of the destination, or the listener's bound port.
    public var destinationPort: UInt16?
    /// Where the client wants to go, on a transparent listener; port 0: any.
    public var destination: Endpoint?

    public init(
        identity: SPIFFEID?, source: IPAddress, serverName: String? = nil, applicationProtocol: String? = nil,
        destinationPort: UInt16? = nil, destination: Endpoint? = nil
    ) {
        self.identity = identity
        self.source = source
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
        self.destinationPort = destinationPort
        self.destination = destination
    }
}
