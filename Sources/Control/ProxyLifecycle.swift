import DataPlane

/// The proxy's lifecycle: worker reports and signals in, actions out. Pure; `Proxy` performs the actions.
struct ProxyLifecycle {
    enum Action: Equatable {
        case nothing
        /// Every worker is accepting.
        case announceReady
        /// Drain the workers.
        case drain
        /// Drain them without the drain delay.
        case stopInbound
        /// Nothing is open any more: end them.
        case stopOutbound
        /// Cut the remaining connections.
        case cut
        case end(ProxyEnd)
    }

    private enum Stage { case starting, serving, draining }

    private var stage = Stage.starting
    private var serving: Set<Int> = []
    private var ended: Set<Int> = []
    /// Those that have said in a drain that nothing was open; something may be open again.
    private var idle: Set<Int> = []
    private var cutCount = 0
    private var failure: String?
    private var terminationAskedAt: Int64?
    private var applicationHasEnded = false
    private let workerCount: Int

    init(workerCount: Int) { self.workerCount = workerCount }

    var readiness: Readiness {
        if let failure { return .notReady(reason: failure) }
        switch stage {
        case .serving: return .ready
        case .draining: return .notReady(reason: "draining")
        case .starting:
            let missing = (0..<workerCount).filter { !serving.contains($0) }.map(String.init)
            return .notReady(reason: "starting: waiting for worker \(missing.joined(separator: ", "))")
        }
    }

    mutating func workerServes(_ worker: Int) -> Action {
        serving.insert(worker)
        guard stage == .starting, serving.count == workerCount else { return .nothing }
        stage = .serving
        return .announceReady
    }

    mutating func workerFinished(_ worker: Int, cut: Int) -> Action {
        guard ended.insert(worker).inserted else { return .nothing }
        cutCount += cut
        return afterEnd()
    }

    /// A worker that drains has nothing open, and its outbound listeners still accept. They are needed until no worker
    /// has anything open.
    ///
    /// - Parameter open: the connections of each worker.
    mutating func workerIsIdle(_ worker: Int, open: [Int]) -> Action {
        idle.insert(worker)
        return afterIdle(open: open)
    }

    /// What follows if the one that was waited for has failed.
    func afterIdle(open: [Int]) -> Action {
        let waitsForNone = open.indices.allSatisfy { ended.contains($0) || idle.contains($0) && open[$0] == 0 }
        return stage == .draining && waitsForNone && ended.count < workerCount ? .stopOutbound : .nothing
    }

    /// A failed worker ends the proxy: the others drain, and the supervisor restarts it.
    mutating func workerFailed(_ worker: Int, reason: String) -> Action {
        guard ended.insert(worker).inserted else { return .nothing }
        failure = failure ?? "worker \(worker) failed: \(reason)"
        let action = afterEnd()
        guard action == .nothing, stage != .draining else { return action }
        stage = .draining
        return .drain
    }

    /// The first signal drains, a later one cuts. Two within a second count as one: a process group or `timeout`
    /// delivers the same signal twice.
    ///
    /// - Parameter now: milliseconds of the monotonic clock.
    mutating func terminationAsked(now: Int64) -> Action {
        if let terminationAskedAt {
            return now - terminationAskedAt < Self.oneOrderMilliseconds ? .nothing : .cut
        }
        terminationAskedAt = now
        guard stage != .draining else { return .nothing }
        stage = .draining
        return .drain
    }

    /// Somebody other than the supervisor, whose signal is still to come, asks for the end.
    ///
    /// - Parameter delay: whether inbound listeners go on accepting for the drain delay; not so if the application has
    ///   ended.
    mutating func drainAsked(delay: Bool) -> Action {
        if !delay { applicationHasEnded = true }
        guard stage != .draining else { return delay ? .nothing : .stopInbound }
        stage = .draining
        return delay ? .drain : .stopInbound
    }

    private static let oneOrderMilliseconds: Int64 = 1_000

    private func afterEnd() -> Action {
        guard ended.count == workerCount else { return .nothing }
        if let failure { return .end(.failed(reason: failure)) }
        if cutCount == 0 { return .end(.drained) }
        return .end(applicationHasEnded ? .cutWithoutApplication(connections: cutCount) : .cut(connections: cutCount))
    }
}

/// How a proxy ended.
public enum ProxyEnd: Hashable, Sendable {
    /// Every connection finished.
    case drained
    /// The number of connections still open when the drain timed out.
    case cut(connections: Int)
    /// The same after the word that the application had ended: others' idle connections are no failure of a Job.
    case cutWithoutApplication(connections: Int)
    case failed(reason: String)
}

extension ProxyEnd: CustomStringConvertible {
    public var description: String {
        switch self {
        case .drained: "drained"
        case .cut(let connections), .cutWithoutApplication(let connections): "cut \(connections) connections"
        case .failed(let reason): reason
        }
    }
}
