import Balancing
import Resolution
public import Policy
public import Settings
public import System

/// One listener of one generation of settings: its routes, and what TLS must know of them.
///
/// Its connections hold it, which distinguishes them from connections of later generations.
public final class ListenerPlan: Sendable {
    public let name: String
    public let mode: ListenerSettings.Mode
    public let bind: SocketAddress
    public let routes: [RoutePlan]
    /// The protocols that an inbound listener selects from, in order of preference; empty: ALPN is ignored.
    public let applicationProtocols: [String]
    /// Who may use a Unix socket's listener; nil: whoever can connect.
    public let callers: CallerSettings?
    /// Nil: every client must present a certificate.
    public let permissive: PermissiveSettings?
    /// The load balancers whose PROXY protocol header names the real source.
    public let balancers: [CIDR]
    /// The proxy's own SPIFFE ID; nil while it has none.
    public let localID: String?
    public let lifetime: ConnectionLifetime
    public let transparency: Transparency
    /// The application is dialled from the caller's address.
    let keepsSource: Bool
    /// What no route matches is relayed to where it wanted to go, in plaintext.
    public let passesUnmatched: Bool
    let allowsRemoteCallers: Bool
    /// A name among the destinations of its routes has no address yet, so that what no route matches may be meant for
    /// one of them.
    public let hasUnknownDestination: Bool

    /// - Parameters:
    ///   - policies: the policies of the settings, to which routes refer.
    ///   - names: the addresses of the names among the endpoints and destinations.
    ///   - workers: how many share its limits.
    public init(
        _ listener: ListenerSettings, _ policies: [Policy], localID: String? = nil,
        names: ResolvedNames = ResolvedNames(), workers: Int = 1
    ) {
        name = listener.name
        mode = listener.mode
        bind = SocketAddress(listener.bind)
        routes = listener.routes.map { RoutePlan($0, policies, names, workers: workers) }
        var protocols: [String] = []
        for name in listener.routes.flatMap(\.match.applicationProtocols) where !protocols.contains(name) {
            protocols.append(name)
        }
        applicationProtocols = protocols
        callers = listener.callers
        permissive = listener.permissive
        balancers = listener.balancers
        self.localID = localID
        lifetime = ConnectionLifetime(listener)
        transparency = listener.transparency
        keepsSource = listener.keepsSource
        passesUnmatched = listener.mode == .outbound && listener.unmatched == .passthrough
        allowsRemoteCallers = listener.allowsRemoteCallers
        hasUnknownDestination = listener.routes.flatMap(\.match.questions).contains { question in
            names.answers[question]?.isEmpty != false
        }
    }
}

/// How long a listener's connections may live; durations in nanoseconds.
public struct ConnectionLifetime: Hashable, Sendable {
    public let expiry: ListenerSettings.Expiry
    public let expiryGraceNanoseconds: UInt64
    /// Nil: unlimited.
    public let maximumAgeNanoseconds: UInt64?

    init(_ listener: ListenerSettings) {
        expiry = listener.expiry
        expiryGraceNanoseconds = UInt64(listener.expiryGraceMilliseconds) * 1_000_000
        maximumAgeNanoseconds = listener.maxConnectionAgeMilliseconds.map { UInt64($0) * 1_000_000 }
    }
}

/// One route, with its endpoints in the form that a connect takes.
public struct RoutePlan: Sendable {
    public let name: String
    public let match: RouteMatch
    /// Nil exactly on an outbound listener.
    public let policy: Policy?
    public let upstream: UpstreamSettings
    /// The blocks among the destinations that it matches.
    let destinationBlocks: [CIDR]
    /// What the names among them stand for.
    let destinationAddresses: Set<IPAddress>
    /// Empty for a builtin, and while no name among the endpoints has an address.
    public let endpoints: [PlannedEndpoint]
    /// Whether DNS says where some of them are.
    let hasNames: Bool
    let balancing: BalancingPolicy
    /// How many connections a worker keeps ready.
    let sparesAtMost: Int

    init(_ route: RouteSettings, _ policies: [Policy], _ names: ResolvedNames, workers: Int) {
        name = route.name
        match = route.match
        policy = route.policyIndex.map { policies[$0] }
        upstream = route.upstream
        destinationBlocks = route.match.destinations.compactMap {
            if case .block(let block) = $0 { block } else { nil }
        }
        destinationAddresses = Set(
            route.match.questions.flatMap { names.answers[$0] ?? [] }.map(\.address.folded))
        endpoints = route.upstream.endpoints(names)
        hasNames = !route.upstream.questions.isEmpty
        balancing = BalancingPolicy(route.upstream, workers: workers)
        let hasEndpoints = if case .endpoints = route.upstream.target { true } else { false }
        sparesAtMost = hasEndpoints ? (route.upstream.preconnect + workers - 1) / workers : 0
    }

    /// Whether a client that wanted to go there is meant.
    func matches(destination: IPAddress?) -> Bool {
        guard !match.destinations.isEmpty else { return true }
        guard let destination else { return false }
        return destinationAddresses.contains(destination) || destinationBlocks.contains { $0.contains(destination) }
    }

    /// Whether it leads to where the client wanted to go.
    public var isOriginal: Bool { upstream.target == .original }

    var builtin: BuiltinUpstream? {
        if case .builtin(let builtin) = upstream.target { builtin } else { nil }
    }
}

extension BalancingPolicy {
    /// - Parameter workers: each has its share of a limit, at least 1.
    fileprivate init(_ upstream: UpstreamSettings, workers: Int) {
        let order: Order =
            switch upstream.balance {
            case .leastConnections: .leastConnections
            case .roundRobin: .roundRobin
            case .first: .first
            }
        self.init(
            order: order, failuresToEject: upstream.health.failures,
            ejectionNanoseconds: UInt64(upstream.health.ejectForMilliseconds) * 1_000_000,
            connectionsAtMost: (upstream.connectionsPerEndpoint + workers - 1) / workers,
            hasChecks: upstream.health.check != nil)
    }
}
