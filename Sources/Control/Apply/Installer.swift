import DataPlane
import EventLoop
import SVID
import Settings
import System
import TLS

/// Prepares a state for all workers, or changes nothing. Belongs to the control thread.
final class Installer {
    /// The state the workers serve by.
    private(set) var state: DesiredState
    /// What the process was started with.
    let started: Settings
    private(set) var listeners: BoundListeners
    /// What all workers dial and listen on, by which they find connections of the proxy to itself.
    let ownSockets = OwnSockets()
    /// What all workers have admitted without identity.
    let plaintextCounts = PlaintextCounts()
    /// The number of workers and their memory; fixed at the start.
    let workerCount: Int
    let memoryBytes: Int
    private let connectionsAtMost: Int
    private let drainTimes: DrainTimes
    /// Connections per worker that memory allows, if fewer than the settings allow.
    let connectionsByMemory: Int?
    /// The update for each worker.
    private(set) var updates: [WorkerUpdate]

    /// Binds the listeners of `state` and makes the workers' first updates.
    ///
    /// - Parameter inherited: what the service manager has bound for some of them.
    init(
        _ state: DesiredState, _ drainTimes: DrainTimes = DrainTimes(), inherited: InheritedDescriptors = .none
    ) throws(ProxyFault) {
        self.drainTimes = drainTimes
        let settings = state.settings
        memoryBytes = settings.limits.memoryBytes ?? MemoryQuota.defaultBytes()
        workerCount = min(settings.workers ?? CPUQuota.workers(), MemoryQuota.workers(bytes: memoryBytes))
        connectionsAtMost = DescriptorLimit.connections(listeners: settings.listeners.count, workers: workerCount)
        self.state = state
        started = settings
        let plan = ProxyPlan(
            settings: drainTimes.replacing(in: settings), material: state.trusted, workers: workerCount,
            memoryBytes: memoryBytes,
            connectionsAtMost: connectionsAtMost, names: state.names)
        connectionsByMemory = plan.connectionsByMemory
        try Self.checkSupport(state)
        listeners = BoundListeners(workers: workerCount, inherited: try Self.look(at: inherited, state))
        let fresh = try listeners.bind(settings.listeners, state.sources)
        updates = try Self.updates(plan, listeners, fresh, ownSockets, plaintextCounts, after: [], workers: workerCount)
        do throws(ProxyFault) {
            try listeners.place(settings.listeners, state.sources)
        } catch {
            abandon()
            throw error
        }
    }

    /// Makes each worker's update to `next`, for ``updates``. On failure nothing changes.
    func install(_ next: DesiredState) throws(ProxyFault) {
        let plan = ProxyPlan(
            settings: drainTimes.replacing(in: next.settings), material: next.trusted, workers: workerCount,
            memoryBytes: memoryBytes,
            connectionsAtMost: connectionsAtMost, names: next.names)
        try Self.checkSupport(next)
        // A copy: on failure the bound sockets stay as they are.
        var listeners = listeners
        let fresh = try listeners.bind(next.settings.listeners, next.sources)
        let nextUpdates = try Self.updates(
            plan, listeners, fresh, ownSockets, plaintextCounts, after: updates, workers: workerCount)
        do throws(ProxyFault) {
            try listeners.place(next.settings.listeners, next.sources)
        } catch {
            Self.abandon(nextUpdates)
            throw error
        }
        updates = nextUpdates
        self.listeners = listeners
        state = next
    }

    /// Closes the sockets that were made for workers that will not be.
    func abandon() { Self.abandon(updates) }

    private static func abandon(_ updates: [WorkerUpdate]) {
        for descriptor in updates.flatMap(\.acceptors).compactMap(\.descriptor) { closeDescriptor(descriptor) }
    }

    /// Refuses settings that kernel or privileges do not allow; else each connection would fail.
    private static func checkSupport(_ state: DesiredState) throws(ProxyFault) {
        let flaws = TransparencyCheck.flaws(state.settings, state.sources, severity: .error)
        if let flaw = flaws.first { throw .unsupported(flaw) }
    }

    private static func look(
        at inherited: InheritedDescriptors, _ state: DesiredState
    ) throws(ProxyFault) -> [InheritedSocket] {
        do throws(InheritedSocketFlaw) {
            return try inherited.entries.map { entry throws(InheritedSocketFlaw) in try InheritedSocket(entry) }
        } catch {
            throw .bind(SettingsFlaw(.error, at: state.sources.listeners, "\(error)"))
        }
    }

    /// What the workers get, one each: TLS contexts that they share, and the sockets that are theirs.
    private static func updates(
        _ plan: ProxyPlan, _ listeners: BoundListeners, _ fresh: BoundListeners.Fresh, _ ownSockets: OwnSockets,
        _ plaintextCounts: PlaintextCounts, after previous: [WorkerUpdate], workers: Int
    ) throws(ProxyFault) -> [WorkerUpdate] {
        var updates: [WorkerUpdate] = []
        do throws(TLSFault) {
            // All workers share the first one's TLS contexts, so that each can resume sessions of the others.
            for _ in 0..<workers {
                let before = updates.first ?? previous.first
                updates.append(
                    try WorkerUpdate(
                        plan, acceptors: [], ownSockets: ownSockets, plaintextCounts: plaintextCounts, after: before
                    ) { WallClock.seconds() })
            }
        } catch {
            throw .tls(error)
        }
        for worker in updates.indices {
            updates[worker].acceptors = listeners.sockets.enumerated().map { index, socket in
                AcceptorUpdate(
                    key: socket.key, descriptor: fresh.take(socket.key, worker: worker), address: socket.address,
                    listener: index, queue: socket.queue)
            }
        }
        return updates
    }
}
