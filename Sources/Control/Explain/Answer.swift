import DataPlane
public import Identity
public import Policy
public import Settings

/// What `run` would decide about a connection, and why; found by the code that `run` decides with.
public struct Answer: Sendable {
    public enum Verdict: Sendable {
        /// The certificate's trust domain has no bundle: the handshake fails.
        case unknownTrustDomain(TrustDomain)
        case noRoute
        /// By the policy of an inbound route.
        case policy(name: String, mode: EnforcementMode, Explanation)
        /// By the `identities` of an outbound route: the pattern that matches, if one does.
        case identities(matching: IdentityPattern?, of: [IdentityPattern])
    }

    public let listener: String
    public let mode: ListenerSettings.Mode
    public let route: String?
    public let verdict: Verdict

    /// Nil if no listener has that name.
    public init?(to question: Question, listener name: String, settings: Settings) {
        guard let listener = settings.listeners.first(where: { $0.name == name }) else { return nil }
        self.listener = name
        mode = listener.mode
        let domain = question.identity.trustDomain
        guard settings.identity.trusts(domain) || settings.federation.contains(where: { $0.trustDomain == domain })
        else {
            route = nil
            verdict = .unknownTrustDomain(question.identity.trustDomain)
            return
        }
        let port = question.destinationPort ?? listener.bind.port
        let isInbound = listener.mode == .inbound
        let index = ListenerPlan(listener, settings.policies).route(
            serverName: isInbound ? question.serverName : nil,
            applicationProtocol: isInbound ? question.applicationProtocol : nil, destinationPort: port)
        guard let index else {
            route = nil
            verdict = .noRoute
            return
        }
        let chosen = listener.routes[index]
        route = chosen.name
        guard let policyIndex = chosen.policyIndex else {
            let patterns = chosen.upstream.identities
            verdict = .identities(matching: patterns.first { $0.matches(question.identity) }, of: patterns)
            return
        }
        let policy = settings.policies[policyIndex]
        let request = Request(
            identity: question.identity, source: question.source.folded, destinationPort: port,
            serverName: question.serverName)
        verdict = .policy(name: policy.name, mode: policy.mode, policy.explain(request))
    }

    /// Whether bytes would be forwarded; an audit policy forwards what it would deny.
    public var forwards: Bool {
        switch verdict {
        case .unknownTrustDomain, .noRoute: false
        case .policy(_, _, let explanation): explanation.decision.forwards
        case .identities(let matching, _): matching != nil
        }
    }
}

extension IdentitySettings {
    fileprivate func trusts(_ domain: TrustDomain) -> Bool {
        switch self {
        case .files(let files): files.trustBundles.contains { $0.trustDomain == domain }
        // Which domains it will trust, the Workload API alone knows.
        case .workloadAPI: true
        }
    }
}
