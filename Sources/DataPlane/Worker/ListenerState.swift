import System
import TLS

/// A worker's own part of one listener. It stays, without a plan to serve, until its last connection has ended.
struct ListenerState {
    var plan: ListenerPlan
    /// Inbound: one context; outbound: one per route. The previous ones if there is no longer an SVID.
    var contexts: [TLSContext]
    /// One per route.
    var endpoints: [RouteEndpoints]
    /// One per route.
    var spares: [SparePool]
    var service: Service
    /// Connections that hold this state's index.
    var connections = 0
    /// Connections accepted since somebody last asked.
    var opened: UInt64 = 0

    enum Service: Equatable {
        case serving
        /// There is no SVID to serve with.
        case withoutIdentity
        /// The settings no longer have this listener.
        case removed
    }

    /// - Parameter numbers: the last number that was given to a route's endpoints.
    init(_ update: ListenerUpdate, now: UInt64, numbers: inout UInt32) {
        plan = update.plan
        contexts = update.contexts
        endpoints = []
        for route in update.plan.routes { endpoints.append(RouteEndpoints(route, after: &numbers, now: now)) }
        spares = update.plan.routes.map { SparePool(limit: $0.sparesAtMost) }
        service = update.contexts.isEmpty ? .withoutIdentity : .serving
    }

    /// Whether it keeps spare connections, or did before a change.
    var hasSpares: Bool { connections > 0 && (keptSpares || spares.contains { $0.limit > 0 }) }
    private var keptSpares = false

    /// Switches to another generation of settings and identity.
    mutating func take(_ update: ListenerUpdate, now: UInt64, numbers: inout UInt32) {
        plan = update.plan
        if !update.contexts.isEmpty { contexts = update.contexts }
        var next: [RouteEndpoints] = []
        var nextSpares: [SparePool] = []
        let knownSpares = Dictionary(
            zip(endpoints.map(\.name), spares), uniquingKeysWith: { one, _ in one })
        let known = Dictionary(endpoints.map { ($0.name, $0) }, uniquingKeysWith: { one, _ in one })
        for route in update.plan.routes {
            var pool = knownSpares[route.name] ?? SparePool(limit: 0)
            pool.limit = route.sparesAtMost
            nextSpares.append(pool)
            if var same = known[route.name] {
                same.take(route, now: now)
                next.append(same)
            } else {
                next.append(RouteEndpoints(route, after: &numbers, now: now))
            }
        }
        endpoints = next
        keptSpares = keptSpares || spares.contains { $0.limit > 0 }
        spares = nextSpares
        service = update.contexts.isEmpty ? .withoutIdentity : .serving
    }
}

/// A worker's bound socket.
struct Acceptor {
    let key: Int
    let descriptor: Int32
    let address: SocketAddress
    let queue: AcceptQueue
    /// The index of the listener's state.
    var listener: Int
    /// An accept is armed.
    var isAccepting = false
    /// An accept failed, most likely for lack of a descriptor; it is re-armed when one may be free.
    var isPaused = false
    /// It is to be closed.
    var isRetired = false
    /// Connections that were made before the close are served.
    var servesLast = false
    var isClosed = false
}
