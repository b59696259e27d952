import DataPlane

/// The proxy's lifecycle: worker reports and signals in, actions out. Pure; `Proxy` performs the actions.
struct ProxyLifecycle {
    enum Action: Equatable {
        case nothing
        /// Every worker is accepting.
        case announceReady
        /// Drain the workers.
        case drain
        /// Cut the remaining connections.
        case cut
        case end(ProxyEnd)
    }

    private enum Stage { case starting, serving, draining }

    private var stage = Stage.starting
    private var serving: Set<Int> = []
    private var ended: Set<Int> = []
    private var cutCount = 0
    private var failure: String?
    private var terminationAskedAt: Int64?
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

    private static let oneOrderMilliseconds: Int64 = 1_000

    private func afterEnd() -> Action {
        guard ended.count == workerCount else { return .nothing }
        if let failure { return .end(.failed(reason: failure)) }
        return .end(cutCount == 0 ? .drained : .cut(connections: cutCount))
    }
}

/// How a proxy ended.
public enum ProxyEnd: Hashable, Sendable {
    /// Every connection finished.
    case drained
    /// The number of connections still open when the drain timed out.
    case cut(connections: Int)
    case failed(reason: String)
}

extension ProxyEnd: CustomStringConvertible {
    public var description: String {
        switch self {
        case .drained: "drained"
        case .cut(let connections): "cut \(connections) connections"
        case .failed(let reason): reason
        }
    }
}
