import EventLoop
public import Telemetry

/// The measurements of a run.
public struct LoadResult: Sendable {
    /// The parameters negotiated by the first handshake.
    public struct Negotiated: Sendable, Hashable {
        public let version: String
        public let cipher: String
        /// The server's SPIFFE ID.
        public let peer: String
        public let applicationProtocol: String?
    }

    public var plan: LoadPlan
    /// The event loop's kernel interface.
    public var eventLoop: String
    /// Nil for plaintext, and if no handshake completed.
    public var negotiated: Negotiated?
    /// In the whole run.
    public var handshakes: UInt64
    public var resumed: UInt64
    /// The most connections established at one time.
    public var connected: Int
    /// The measurement window.
    public var windowNanoseconds: UInt64
    /// Completed requests, including those that completed after the window.
    public var requests: UInt64
    public var requestsInWindow: UInt64
    /// Open loop: due but never started, because the client or the target fell behind.
    public var unsent: UInt64
    /// In flight at the end, and not completed within the final wait.
    public var unanswered: UInt64
    public var errors: ErrorTally
    /// Payload bytes in the window.
    public var bytesUp: UInt64
    public var bytesDown: UInt64
    /// In nanoseconds; in an open loop from the due time, unanswered requests included.
    public var latency: HistogramSummary?
    public var connect: HistogramSummary?
    public var handshake: HistogramSummary?
    /// CPU time of this process in the window.
    public var userNanoseconds: Int64
    public var systemNanoseconds: Int64

    /// Why the run failed; nil if it succeeded.
    public var failure: String? {
        if errors.total > 0 {
            let kinds = errors.entries.map { "\($0.count) x \($0.kind) (\($0.detail))" }
            return "errors: " + kinds.joined(separator: "; ")
        }
        switch plan.kind {
        case .bulk: return bytesUp + bytesDown > 0 ? nil : "no byte was transferred"
        case .echo, .connect: return requests > 0 ? nil : "no request completed"
        case .idle:
            return connected == plan.connections
                ? nil : "\(connected) of \(plan.connections) connections were established"
        }
    }

    /// The rate of `count` in the window, in thousandths per second.
    func millisASecond(_ count: UInt64) -> Int64 {
        guard windowNanoseconds > 0 else { return 0 }
        return Int64(Double(count) * 1e12 / Double(windowNanoseconds))
    }
}

extension LoadPlan.Kind {
    /// Its name on the command line and in results.
    public var name: String {
        switch self {
        case .bulk: "bulk"
        case .echo: "echo"
        case .connect: "connect"
        case .idle: "idle"
        }
    }

    /// The direction of a bulk run.
    public var direction: LoadPlan.Direction? {
        if case .bulk(let direction) = self { direction } else { nil }
    }
}

extension Generator {
    /// The measurements, once ``isOver``.
    public func result() -> LoadResult {
        LoadResult(
            plan: plan, eventLoop: loop.kind.rawValue, negotiated: tally.facts, handshakes: tally.handshakes,
            resumed: tally.resumed, connected: mostServing, windowNanoseconds: window.end - window.start,
            requests: tally.requests, requestsInWindow: window.requests, unsent: unsent, unanswered: unanswered,
            errors: tally.errors, bytesUp: window.bytesUp, bytesDown: window.bytesDown,
            latency: HistogramSummary(tally.latency), connect: HistogramSummary(tally.connect),
            handshake: HistogramSummary(tally.handshake),
            userNanoseconds: window.processorEnd.userNanoseconds - window.processorStart.userNanoseconds,
            systemNanoseconds: window.processorEnd.systemNanoseconds - window.processorStart.systemNanoseconds)
    }
}
