public import System

/// The outside world: what a test does to the proxy, and what it counts.
extension SimulatedNetwork {
    /// A listening descriptor for the proxy; it closes it like any other.
    public func listen(on address: SocketAddress) -> Int32 {
        precondition(listeners[address] == nil && backends[address] == nil, "the address is in use")
        let listener = SimulatedListener(address: address)
        let descriptor = open(.listener(listener))
        precondition(descriptor >= 0, "no descriptor for a listener")
        listeners[address] = listener
        return descriptor
    }

    /// Dials the proxy. The connection is established at once, accepted or not; see ``PeerSocket/isRefused``.
    public func connectPeer(to address: SocketAddress, from: SocketAddress) -> PeerSocket {
        guard let listener = listeners[address], !listener.isFull else { return PeerSocket(nil, .dialler) }
        let connection = makeConnection(from: from, to: address)
        listener.append(connection)
        return PeerSocket(connection, .dialler)
    }

    /// The tester's server at the address, made when it is first asked for.
    public func backend(at address: SocketAddress) -> SimulatedBackend {
        if let backend = backends[address] { return backend }
        precondition(listeners[address] == nil, "the proxy listens at the address")
        let backend = SimulatedBackend(address: address)
        backends[address] = backend
        return backend
    }

    /// How often the proxy has dialled the address, failed dials included.
    public func dials(to address: SocketAddress) -> Int {
        dialCounts[address] ?? 0
    }
}
