import DataPlane
public import Identity
public import Policy
public import Settings

/// The decision `run` would make about a connection, and why; made by the same code.
public struct Answer: Sendable {
    public enum Verdict: Sendable {
        /// The certificate's trust domain has no bundle: the handshake fails.
        case unknownTrustDomain(TrustDomain)
        case noRoute
        /// The client sends plaintext, and the listener requires certificates.
        case certificateRequired
        /// The destination is an address of the proxy itself.
        case loop(Endpoint)
        /// No route matches, and the listener relays such connections in plaintext.
        case passedThrough
        /// Decided by the policy of an inbound route.
        case policy(name: String, mode: EnforcementMode, Explanation)
        /// Decided by the `identities` of an outbound route: the matching pattern, if any.
        case identities(matching: IdentityPattern?, of: [IdentityPattern])
    }

    public let listener: String
    public let mode: ListenerSettings.Mode
    public let route: String?
    public let verdict: Verdict
    private let upstreams: [String: UpstreamSettings]

    /// Nil if no listener has that name.
    public init?(to question: Question, listener name: String, settings: Settings) {
        guard let listener = settings.listeners.first(where: { $0.name == name }) else { return nil }
        self.listener = name
        upstreams = Dictionary(
            listener.routes.map { ($0.name, $0.upstream) }, uniquingKeysWith: { one, _ in one })
        mode = listener.mode
        if let domain = question.identity?.trustDomain, !settings.trusts(domain) {
            route = nil
            verdict = .unknownTrustDomain(domain)
            return
        }
        if question.identity == nil, listener.permissive == nil {
            route = nil
            verdict = .certificateRequired
            return
        }
        let destination = listener.transparency == .off ? nil : question.destination
        if let own = settings.ownAddress(reachedBy: destination, of: listener) {
            route = nil
            verdict = .loop(own)
            return
        }
        let wanted = destination.flatMap { $0.port == 0 ? nil : $0.port }
        let port = question.destinationPort ?? wanted ?? (listener.bind.endpoint?.port ?? 0)
        let request = AccessRequest(
            identity: question.identity, source: listener.bind.endpoint == nil ? .v4(0) : question.source.folded,
            destinationPort: port,
            destination: destination?.address.folded, serverName: question.serverName,
            applicationProtocol: question.applicationProtocol)
        let plan = ListenerPlan(listener, settings.policies)
        switch plan.verdict(on: request) {
        case .noRoute:
            route = nil
            // As `run` before the names of its destinations are known.
            let passes = plan.passesUnmatched && destination != nil && !plan.hasUnknownDestination
            verdict = passes ? .passedThrough : .noRoute
        case .identities(let index, let matching):
            route = plan.routes[index].name
            verdict = .identities(matching: matching, of: plan.routes[index].upstream.identities)
        case .policy(let index, _):
            route = plan.routes[index].name
            guard let policy = plan.routes[index].policy else { preconditionFailure("decided by no policy") }
            verdict = .policy(name: policy.name, mode: policy.mode, policy.explain(Request(request)))
        }
    }

    /// The endpoints of the route, as the settings name them; nil where it has none.
    var endpoints: (names: [String], balance: BalanceOrder)? {
        guard let route, let upstream = upstreams[route], case .endpoints(let list) = upstream.target else {
            return nil
        }
        return (list.map(\.description), upstream.balance)
    }

    /// Whether bytes would be forwarded; an audit policy forwards what it would deny.
    public var forwards: Bool {
        switch verdict {
        case .unknownTrustDomain, .noRoute, .certificateRequired, .loop: false
        case .passedThrough: true
        case .policy(_, _, let explanation): explanation.decision.forwards
        case .identities(let matching, _): matching != nil
        }
    }
}

extension Settings {
    fileprivate func trusts(_ domain: TrustDomain) -> Bool {
        identity.trusts(domain) || federation.contains { $0.trustDomain == domain }
    }
}

extension IdentitySettings {
    fileprivate func trusts(_ domain: TrustDomain) -> Bool {
        switch self {
        case .files(let files): files.trustBundles.contains { $0.trustDomain == domain }
        // Only the Workload API knows which domains will be trusted.
        case .workloadAPI: true
        }
    }
}
