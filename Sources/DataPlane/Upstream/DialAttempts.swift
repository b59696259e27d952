import System

/// Which of a route's endpoints a connection has dialled.
struct DialAttempts: Equatable {
    /// Its place among the route's endpoints: of the last one dialled.
    private(set) var endpoint: Int?
    private(set) var address: SocketAddress?
    private var count = 0

    /// Whether some of the endpoints were not dialled yet.
    func canGoOn(among endpoints: [SocketAddress]) -> Bool { count < endpoints.count }

    /// The endpoint to dial next; nil where each has been.
    ///
    /// - Parameter turn: the first endpoint, where the connection has its turn among others; else the one after the
    /// last.
    mutating func next(among endpoints: [SocketAddress], turn: () -> Int?) -> SocketAddress? {
        guard canGoOn(among: endpoints) else { return nil }
        let first = count == 0 ? turn() : nil
        let index = (first ?? endpoint.map { $0 + 1 } ?? 0) % endpoints.count
        count += 1
        endpoint = index
        address = endpoints[index]
        return address
    }

    /// The route's endpoints are others now; false where the one that was dialled is none of them.
    mutating func follow(_ endpoints: [SocketAddress]) -> Bool {
        guard let address, let index = endpoints.firstIndex(of: address) else { return false }
        endpoint = index
        return true
    }
}

/// Whose turn it is among the endpoints of a route.
struct EndpointRotation: Equatable {
    private var index = 0

    /// The place of the endpoint that comes next, of `count`.
    mutating func next(of count: Int) -> Int {
        defer { index = (index + 1) % count }
        return index % count
    }
}
