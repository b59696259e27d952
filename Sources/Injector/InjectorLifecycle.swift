import Control

/// From the start to the end: signals and time in, actions out. Pure; times are monotonic milliseconds.
struct InjectorLifecycle {
    enum Action: Equatable {
        case nothing
        /// Say that it is not ready, and have clients open no further request on a connection.
        case announceDrain
        /// Accept no more.
        case close
        case end(InjectorEnd)
    }

    private enum Stage: Equatable {
        case serving
        /// Accepts on, until the service sends nobody here.
        case leaving(until: Int64)
        case closing(until: Int64)
    }

    private var stage = Stage.serving
    private var terminationAskedAt: Int64?
    private let delayMilliseconds: Int64
    private let timeoutMilliseconds: Int64

    init(delayMilliseconds: Int64, timeoutMilliseconds: Int64) {
        self.delayMilliseconds = delayMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    var readiness: Readiness { stage == .serving ? .ready : .notReady(reason: "draining") }

    /// The first signal drains, a second one more than a second later ends at once.
    mutating func terminationAsked(now: Int64, busy: Int) -> Action {
        if let terminationAskedAt {
            return now - terminationAskedAt < 1_000 ? .nothing : .end(busy == 0 ? .drained : .cut(requests: busy))
        }
        terminationAskedAt = now
        stage = .leaving(until: now + delayMilliseconds)
        return .announceDrain
    }

    /// - Parameter busy: requests that are here in part or not answered.
    mutating func tick(now: Int64, busy: Int) -> Action {
        switch stage {
        case .serving: return .nothing
        case .leaving(let until):
            guard now >= until else { return .nothing }
            stage = .closing(until: now + timeoutMilliseconds)
            return .close
        case .closing(let until):
            if busy == 0 { return .end(.drained) }
            return now >= until ? .end(.cut(requests: busy)) : .nothing
        }
    }

    /// When the next tick is due at the latest; nil: there is nothing to wait for.
    func millisecondsUntilTick(now: Int64) -> Int? {
        switch stage {
        case .serving: nil
        case .leaving(let until): Int(max(0, until - now))
        case .closing: Self.pollMilliseconds
        }
    }

    /// evhttp does not report the end of a connection.
    private static let pollMilliseconds = 20
}

/// How the injector ended.
package enum InjectorEnd: Hashable, Sendable {
    /// Every review was answered.
    case drained
    /// So many requests were not.
    case cut(requests: Int)
}
