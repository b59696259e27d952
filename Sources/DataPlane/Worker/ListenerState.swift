import System
import TLS

/// A worker's own part of one listener. It stays, without a plan to serve, until its last connection has ended.
struct ListenerState {
    var plan: ListenerPlan
    /// Inbound: one context; outbound: one per route. The previous ones if there is no longer an SVID.
    var contexts: [TLSContext]
    /// One per route: its connections take its endpoints in turn.
    var rotations: [EndpointRotation]
    var service: Service
    /// Connections that hold this state's index.
    var connections = 0

    enum Service: Equatable {
        case serving
        /// There is no SVID to serve with.
        case withoutIdentity
        /// The settings no longer have this listener.
        case removed
    }

    init(_ update: ListenerUpdate) {
        plan = update.plan
        contexts = update.contexts
        rotations = Array(repeating: EndpointRotation(), count: update.plan.routes.count)
        service = update.contexts.isEmpty ? .withoutIdentity : .serving
    }

    /// Switches to another generation of settings and identity.
    mutating func take(_ update: ListenerUpdate) {
        plan = update.plan
        if !update.contexts.isEmpty { contexts = update.contexts }
        rotations = Array(repeating: EndpointRotation(), count: update.plan.routes.count)
        service = update.contexts.isEmpty ? .withoutIdentity : .serving
    }
}

/// A worker's bound socket.
struct Acceptor {
    let key: Int
    let descriptor: Int32
    let address: SocketAddress
    /// The index of the listener's state.
    var listener: Int
    /// An accept is armed.
    var isAccepting = false
    /// An accept failed, most likely for lack of a descriptor; it is re-armed when one may be free.
    var isPaused = false
    /// It is to be closed.
    var isRetired = false
    var isClosed = false
}
