public import Identity
public import Policy
public import Settings
import TLS

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

    /// Why there is no such connection on a listener; nil if there can be.
    func flaw(for name: String, of settings: Settings) -> String? {
        guard let listener = settings.listeners.first(where: { $0.name == name }) else { return nil }
        if let serverName, ServerName.parse(serverName.utf8) == nil {
            return "\(quoted(serverName)) is no DNS name: a client that requests it is refused in the handshake"
        }
        if listener.transparency != .off, destination == nil {
            return "the listener \(quoted(name)) is transparent: say with `destination` where the client goes"
        }
        if listener.transparency == .off, destination != nil {
            return "the listener \(quoted(name)) is not transparent: leave `destination` out"
        }
        return nil
    }
}
