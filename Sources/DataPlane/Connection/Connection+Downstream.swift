import System

extension Connection {
    /// Whether it waits for an application.
    enum SpareStanding {
        /// It has one, or never waits.
        case none
        /// It is being connected, or shakes hands.
        case opening
        case ready
        /// It ends, and never had one.
        case retired
    }

    /// What was accepted, and when.
    struct Downstream {
        let id: UInt64
        /// The port that the client connected to.
        let destinationPort: UInt16
        /// Where the client wanted to go; nil unless the listener is transparent.
        let destination: SocketAddress?
        /// The client, as its socket or its load balancer says.
        var source: SocketAddress
        /// The process that connected to a Unix socket.
        var caller: LocalCaller?
        /// Monotonic nanoseconds.
        let acceptedAt: UInt64
    }

    /// A connection of an outbound route without an application.
    init(spareOf listener: Int, _ plan: ListenerPlan, route: Int, source: SocketAddress, now: UInt64) {
        self.init(
            .outbound, id: 0, descriptor: -1, listener: listener, plan, destinationPort: 0, source: source, now: now)
        machine = ConnectionMachine(spareOf: .outbound)
        self.route = route
        spareStanding = .opening
    }

    /// Serves this application from now on.
    mutating func adopt(_ downstream: Downstream) {
        self.downstream = downstream
        spareStanding = .none
        lastActivity = downstream.acceptedAt
    }

    mutating func forgetDownstream() { spareStanding = .retired }

    var id: UInt64 { downstream.id }
    var destinationPort: UInt16 { downstream.destinationPort }
    var destination: SocketAddress? { downstream.destination }
    var acceptedAt: UInt64 { downstream.acceptedAt }
    var source: SocketAddress {
        get { downstream.source }
        set { downstream.source = newValue }
    }
    var caller: LocalCaller? {
        get { downstream.caller }
        set { downstream.caller = newValue }
    }
}
