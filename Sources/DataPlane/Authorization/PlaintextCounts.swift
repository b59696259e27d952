import Synchronization

/// Connections that were admitted without identity, by listener and route. Workers share it.
public final class PlaintextCounts: Sendable {
    public struct Place: Hashable, Sendable {
        public let listener: String
        public let route: String

        public init(listener: String, route: String) {
            self.listener = listener
            self.route = route
        }
    }

    private let counts = Mutex<[Place: UInt64]>([:])

    public init() {}

    public subscript(place: Place) -> UInt64 { counts.withLock { $0[place] ?? 0 } }

    func add(listener: String, route: String) {
        counts.withLock { $0[Place(listener: listener, route: route), default: 0] += 1 }
    }
}
