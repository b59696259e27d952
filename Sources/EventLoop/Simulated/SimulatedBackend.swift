public import System

/// A tester's server in a simulation: what the proxy dials.
public final class SimulatedBackend {
    /// What happens to a dial.
    public enum Behaviour: Sendable {
        case accepts, refuses, hangs
    }

    public let address: SocketAddress
    public var behaviour = Behaviour.accepts
    let listener: SimulatedListener

    init(address: SocketAddress) {
        self.address = address
        listener = SimulatedListener(address: address)
    }

    /// Connections that were established and not taken yet.
    public var waiting: Int { listener.count }

    /// Takes the oldest connection that was established.
    public func takeConnection() -> PeerSocket? {
        listener.isEmpty ? nil : PeerSocket(listener.removeFirst(), .acceptor)
    }
}
