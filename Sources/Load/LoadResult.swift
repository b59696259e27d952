import EventLoop
public import Telemetry

/// What a run measured.
public struct LoadResult: Sendable {
    /// What the first handshake came to.
    public struct Negotiated: Sendable, Hashable {
        public let version: String
        public let cipher: String
        /// The server's SPIFFE ID.
        public let peer: String
        public let applicationProtocol: String?
    }

    public var plan: LoadPlan
    /// The kernel interface that was waited with.
    public var eventLoop: String
    /// Nil of plaintext, and where no handshake was completed.
    public var negotiated: Negotiated?
    /// In the whole run.
    public var handshakes: UInt64
    public var resumed: UInt64
    /// The most connections that stood at a time.
    public var connected: Int
    /// The measured window.
    public var windowNanoseconds: UInt64
    /// Answered requests, those included that came back after the window's end.
    public var requests: UInt64
    public var requestsInWindow: UInt64
    /// Open loop: due and never begun, for the client or the whole target was behind.
    public var unsent: UInt64
    /// On their way at the end, and not back after a moment's patience.
    public var unanswered: UInt64
    public var errors: ErrorTally
    /// Of payload, in the window.
    public var bytesUp: UInt64
    public var bytesDown: UInt64
    /// In nanoseconds; of an open loop from when each request was due, what never came back included.
    public var latency: HistogramSummary?
    public var connect: HistogramSummary?
    public var handshake: HistogramSummary?
    /// Of this process, in the window.
    public var userNanoseconds: Int64
    public var systemNanoseconds: Int64

    /// Why the run counts as failed; nil of a good one.
    public var failure: String? {
        if errors.total > 0 {
            let kinds = errors.entries.map { "\($0.count) x \($0.kind) (\($0.detail))" }
            return "errors: " + kinds.joined(separator: "; ")
        }
        switch plan.kind {
        case .bulk: return bytesUp + bytesDown > 0 ? nil : "no byte got through"
        case .echo, .connect: return requests > 0 ? nil : "no request got through"
        case .idle: return connected == plan.connections ? nil : "\(connected) of \(plan.connections) connections stood"
        }
    }

    /// So many in the window, in thousandths a second.
    func millisASecond(_ count: UInt64) -> Int64 {
        guard windowNanoseconds > 0 else { return 0 }
        return Int64(Double(count) * 1e12 / Double(windowNanoseconds))
    }
}

extension LoadPlan.Kind {
    /// The word for it on the command line and in results.
    public var name: String {
        switch self {
        case .bulk: "bulk"
        case .echo: "echo"
        case .connect: "connect"
        case .idle: "idle"
        }
    }

    /// Which way the bytes of a bulk run go.
    public var direction: LoadPlan.Direction? {
        if case .bulk(let direction) = self { direction } else { nil }
    }
}

extension Generator {
    /// What was measured, once ``isOver``.
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
