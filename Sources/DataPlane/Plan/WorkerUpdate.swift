import Policy
import Settings
public import System
public import TLS

/// What a worker serves by from now on, made for that worker alone: at its start, and at each change.
///
/// Everything that can fail has been done once it exists; installing it cannot fail.
public struct WorkerUpdate: Sendable {
    public let limits: WorkerLimits
    public let listeners: [ListenerUpdate]
    /// The mark of dialled sockets; 0 for none.
    let mark: UInt32
    let ownSockets: OwnSockets
    let plaintextCounts: PlaintextCounts
    /// Sockets that are not named here are closed.
    public var acceptors: [AcceptorUpdate]

    /// The TLS context of an outbound listener's route; nil while there is no SVID.
    public func context(ofRoute index: Int, listener name: String) -> TLSContext? {
        guard let listener = listeners.first(where: { $0.plan.name == name }), listener.plan.mode == .outbound,
            listener.contexts.indices.contains(index)
        else { return nil }
        return listener.contexts[index]
    }

    /// - Parameters:
    ///   - acceptors: `listener` counts the plan's listeners.
    ///   - ownSockets, plaintextCounts: the same for all workers of the process, at each of their updates.
    ///   - previous: what the same worker serves by until then; a TLS context is reused if nothing that it was made
    ///     from has changed.
    ///   - clock: the wall clock in Unix seconds, for certificates; asked on the worker's threads.
    public init(
        _ plan: ProxyPlan, acceptors: [AcceptorUpdate], ownSockets: OwnSockets = OwnSockets(),
        plaintextCounts: PlaintextCounts = PlaintextCounts(), after previous: WorkerUpdate? = nil,
        clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        limits = plan.limits
        mark = plan.mark
        self.ownSockets = ownSockets
        self.plaintextCounts = plaintextCounts
        var listeners: [ListenerUpdate] = []
        for listener in plan.listeners {
            let before = previous?.listeners.first { $0.plan.name == listener.name && $0.plan.mode == listener.mode }
            listeners.append(try ListenerUpdate(listener, plan, after: before, clock: clock))
        }
        self.listeners = listeners
        self.acceptors = acceptors
    }
}

/// A listener with the TLS contexts of its sessions.
public struct ListenerUpdate: Sendable {
    let plan: ListenerPlan
    /// Inbound: one context; outbound: one per route; none while there is no SVID.
    let contexts: [TLSContext]
    /// What they were made from.
    private let contextPlans: [ContextPlan]

    init(
        _ plan: ListenerPlan, _ proxy: ProxyPlan, after previous: ListenerUpdate?,
        clock: @escaping @Sendable () -> Int64
    ) throws(TLSFault) {
        self.plan = plan
        contextPlans = Self.contextPlans(plan, proxy)
        var contexts: [TLSContext] = []
        for contextPlan in contextPlans {
            // Routes may be alike: each has a context of its own.
            let same = previous?.contextPlans.indices.first { index in
                previous?.contextPlans[index] == contextPlan
                    && !contexts.contains { $0 === previous?.contexts[index] }
            }
            if let same, let context = previous?.contexts[same] {
                contexts.append(context)
            } else {
                let continued = previous?.contextPlans.firstIndex { $0.isContinued(by: contextPlan) }
                contexts.append(
                    try contextPlan.make(continuing: continued.flatMap { previous?.contexts[$0] }, clock: clock))
            }
        }
        self.contexts = contexts
    }

    private static func contextPlans(_ plan: ListenerPlan, _ proxy: ProxyPlan) -> [ContextPlan] {
        guard let material = proxy.material else { return [] }
        switch plan.mode {
        case .inbound:
            return [
                ContextPlan(
                    role: .accepting, applicationProtocols: plan.applicationProtocols, options: proxy.tls,
                    material: material)
            ]
        case .outbound:
            return plan.routes.map { route in
                ContextPlan(
                    role: .dialling(
                        serverName: route.upstream.serverName, identities: route.upstream.identities),
                    applicationProtocols: route.upstream.applicationProtocols, options: proxy.tls, material: material)
            }
        }
    }
}

/// Who accepts from a bound socket's queue.
public enum AcceptQueue: Sendable {
    /// One worker: what it leaves there is reset by the close.
    case ofWorker
    /// All workers, which have descriptors of one socket.
    case ofWorkers
    /// Who inherits the socket next, too: what this process leaves there waits for it.
    case inherited
}

/// A bound socket and the listener that its connections belong to.
public struct AcceptorUpdate: Sendable {
    /// Identifies the socket from one update to the next.
    public let key: Int
    /// The worker closes it; nil if the worker already has it.
    public let descriptor: Int32?
    /// With the port that the kernel chose where 0 was asked for.
    public let address: SocketAddress
    public let listener: Int
    public let queue: AcceptQueue

    public init(key: Int, descriptor: Int32?, address: SocketAddress, listener: Int, queue: AcceptQueue = .ofWorker) {
        self.key = key
        self.descriptor = descriptor
        self.address = address
        self.listener = listener
        self.queue = queue
    }
}
