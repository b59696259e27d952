/// What a client of the admin endpoint asks for. Pure; ``AdminServer`` answers.
struct AdminRequest {
    /// What the request comes to.
    enum Action: Equatable {
        case live
        case ready(isVerbose: Bool)
        case metrics
        /// Of the application's health.
        case health(path: String)
        case change(AdminChange)
        case refuse(TextAnswer)
    }

    var method: HTTPMethod
    var path: String
    var query = ""
    /// Whether it came over the Unix socket.
    var isOverSocket = false
    /// A web page sent it.
    var hasOrigin = false

    /// - Parameters:
    ///   - allowsChanges: over TCP.
    ///   - hasHealth: whether there are probes of the application.
    func action(allowsChanges: Bool, hasHealth: Bool) -> Action {
        if let change = AdminChange.allCases.first(where: { $0.path == path }) {
            guard method == .post else { return .refuse(TextAnswer(405, "only POST", allow: "POST")) }
            guard isOverSocket || allowsChanges else {
                return .refuse(
                    TextAnswer(403, "only on the Unix socket (admin.socket), or anywhere with admin.allowChanges"))
            }
            // Of a browser on this host, every page may send a POST anywhere.
            guard !hasOrigin else { return .refuse(TextAnswer(403, "not from a web page")) }
            return .change(change)
        }
        let isHealth = hasHealth && path.hasPrefix("/app-health/")
        guard isHealth || ["/livez", "/readyz", "/metrics"].contains(path) else {
            return .refuse(TextAnswer(404, "not found: try /livez, /readyz or /metrics"))
        }
        guard method == .get || method == .head else {
            return .refuse(TextAnswer(405, "only GET and HEAD", allow: "GET, HEAD"))
        }
        switch path {
        case "/livez": return .live
        case "/readyz": return .ready(isVerbose: query == "verbose")
        case "/metrics": return .metrics
        default: return .health(path: path)
        }
    }
}

/// What changes the state of the proxy.
public enum AdminChange: Hashable, Sendable, CaseIterable {
    /// As SIGTERM does.
    case drain
    /// Without the drain delay.
    case quit

    fileprivate var path: String { self == .drain ? "/drain" : "/quit" }
}

extension TextAnswer {
    /// Of a probe. A failure has the application's own status, if that says so, by which kubelet reports it.
    init(_ outcome: ProbeRun.Outcome) {
        switch outcome {
        case .passed: self.init(200, "ok")
        case .failed(let reason, let status):
            let own = status.flatMap { (400...599).contains($0) ? Int32($0) : nil }
            self.init(own ?? 503, "the application fails: \(reason)")
        }
    }
}
