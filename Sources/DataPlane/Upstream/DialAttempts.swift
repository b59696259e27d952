import System

/// Which of a route's endpoints a connection has dialled.
struct DialAttempts: Equatable {
    /// The index of the endpoint that was dialled last.
    private(set) var endpoint: Int?
    private(set) var address: SocketAddress?
    private var count = 0

    /// Whether some of the endpoints were not dialled yet.
    func canGoOn(among endpoints: [SocketAddress]) -> Bool { count < endpoints.count }

    /// The endpoint to dial next; nil if all were dialled.
    ///
    /// - Parameter turn: gives the first endpoint, if the connection takes part in the rotation; else the one after the
    ///   last is dialled.
    mutating func next(among endpoints: [SocketAddress], turn: () -> Int?) -> SocketAddress? {
        guard canGoOn(among: endpoints) else { return nil }
        let first = count == 0 ? turn() : nil
        let index = (first ?? endpoint.map { $0 + 1 } ?? 0) % endpoints.count
        count += 1
        endpoint = index
        address = endpoints[index]
        return address
    }

    /// Adopts the route's new endpoints; false if the dialled one is not among them.
    mutating func follow(_ endpoints: [SocketAddress]) -> Bool {
        guard let address, let index = endpoints.firstIndex(of: address) else { return false }
        endpoint = index
        return true
    }
}

/// Round-robin over the endpoints of a route.
struct EndpointRotation: Equatable {
    private var index = 0

    /// The index of the next endpoint, of `count`.
    mutating func next(of count: Int) -> Int {
        defer { index = (index + 1) % count }
        return index % count
    }
}
