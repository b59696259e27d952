public import EventLoop
import Policy
import Settings
public import TLS

/// What a worker serves by from now on, made for that worker alone: at its start, and at each change.
///
/// All that can fail has been done when it is there; to install it cannot fail.
public struct WorkerUpdate: Sendable {
    public let limits: WorkerLimits
    public let listeners: [ListenerUpdate]
    /// What is not named here is closed.
    public var acceptors: [AcceptorUpdate]

    /// - Parameters:
    ///   - acceptors: `listener` counts the plan's listeners.
    ///   - clock: the wall clock in Unix seconds, for certificates; asked on the worker's threads.
    public init(
        _ plan: ProxyPlan, acceptors: [AcceptorUpdate], clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        limits = plan.limits
        var listeners: [ListenerUpdate] = []
        for listener in plan.listeners { listeners.append(try ListenerUpdate(listener, plan, clock: clock)) }
        self.listeners = listeners
        self.acceptors = acceptors
    }
}

/// A listener with the TLS contexts of its sessions.
public struct ListenerUpdate: Sendable {
    let plan: ListenerPlan
    /// Inbound one context; outbound one a route; none while there is no SVID.
    let contexts: [TLSContext]

    init(
        _ plan: ListenerPlan, _ proxy: ProxyPlan, clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        self.plan = plan
        guard let material = proxy.material else {
            contexts = []
            return
        }
        switch plan.mode {
        case .inbound:
            contexts = [
                try TLSContext(
                    accepting: material, options: proxy.tls, applicationProtocols: plan.applicationProtocols,
                    clock: clock)
            ]
        case .outbound:
            var contexts: [TLSContext] = []
            for route in plan.routes {
                let identities = route.upstream.identities
                contexts.append(
                    try TLSContext(
                        dialling: material, options: proxy.tls,
                        applicationProtocols: route.upstream.applicationProtocols,
                        serverName: route.upstream.serverName,
                        acceptPeer: { id in identities.contains { $0.matches(id) } }, clock: clock))
            }
            self.contexts = contexts
        }
    }
}

/// A bound socket and the listener that its connections belong to.
public struct AcceptorUpdate: Sendable {
    /// Names the socket from one update to the next.
    public let key: Int
    /// The worker closes it; nil where it has it already.
    public let descriptor: Int32?
    /// With the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    public let listener: Int

    public init(key: Int, descriptor: Int32?, address: SocketAddress, listener: Int) {
        self.key = key
        self.descriptor = descriptor
        self.address = address
        self.listener = listener
    }
}
