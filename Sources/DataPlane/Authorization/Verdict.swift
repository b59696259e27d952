public import Identity
public import Policy
import Settings

/// Everything a listener's plan decides by: who asks, and for what. The certificate is already verified.
public struct AccessRequest: Hashable, Sendable {
    /// Nil: a client of plaintext.
    public var identity: SPIFFEID?
    public var source: IPAddress
    public var destinationPort: UInt16
    /// Where the client wanted to go; nil where it dialled the listener itself.
    public var destination: IPAddress?
    /// The name that the client asked for; nil on an outbound listener, as is the next.
    public var serverName: String?
    public var applicationProtocol: String?

    public init(
        identity: SPIFFEID?, source: IPAddress, destinationPort: UInt16, destination: IPAddress? = nil,
        serverName: String?, applicationProtocol: String?
    ) {
        self.identity = identity
        self.source = source
        self.destinationPort = destinationPort
        self.destination = destination
        self.serverName = serverName
        self.applicationProtocol = applicationProtocol
    }
}

/// A listener plan's verdict on a request: at admission, after a change, and for `explain`.
public enum Verdict: Equatable, Sendable {
    case noRoute
    /// By the policy of an inbound route.
    case policy(route: Int, Decision)
    /// By the `identities` of an outbound route: the one that matches, if one does.
    case identities(route: Int, matching: IdentityPattern?)

    /// Whether bytes may be forwarded; an audit policy forwards what it would deny.
    public var forwards: Bool {
        switch self {
        case .noRoute: false
        case .policy(_, let decision): decision.forwards
        case .identities(_, let matching): matching != nil
        }
    }
}

extension ListenerPlan {
    public func verdict(on request: AccessRequest) -> Verdict {
        let isInbound = mode == .inbound
        let index = route(
            serverName: isInbound ? request.serverName : nil,
            applicationProtocol: isInbound ? request.applicationProtocol : nil,
            destinationPort: request.destinationPort, destination: request.destination)
        guard let index else { return .noRoute }
        guard let policy = routes[index].policy else {
            return .identities(
                route: index, matching: request.identity.flatMap { routes[index].upstream.identities.match($0) })
        }
        return .policy(route: index, policy.decide(Request(request)))
    }
}

extension Request {
    /// The request as policies see it.
    public init(_ request: AccessRequest) {
        self.init(
            identity: request.identity, source: request.source, destinationPort: request.destinationPort,
            serverName: request.serverName)
    }
}

extension [IdentityPattern] {
    /// The first of them that matches.
    func match(_ id: SPIFFEID) -> IdentityPattern? { first { $0.matches(id) } }
}
