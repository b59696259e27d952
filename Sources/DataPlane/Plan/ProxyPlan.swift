public import EventLoop
public import Policy
public import Settings
public import TLS

/// Everything a worker serves by, immutable and shared by all workers: settings resolved to what the hot path needs.
public struct ProxyPlan: Sendable {
    public let listeners: [ListenerPlan]
    public let policies: [Policy]
    public let material: IdentityMaterial
    public let tls: TLSOptions
    public let limits: WorkerLimits

    /// - Parameter workers: how many workers share the limits of the process.
    public init(settings: Settings, material: IdentityMaterial, workers: Int) {
        listeners = settings.listeners.map(ListenerPlan.init)
        policies = settings.policies
        self.material = material
        tls = TLSOptions(
            minVersion: settings.tls.minVersion == .tls12 ? .tls12 : .tls13, resumption: settings.tls.resumption)
        limits = WorkerLimits(settings.limits, workers: workers)
    }
}

/// One listener: its routes and what of them TLS must know.
public struct ListenerPlan: Sendable {
    public let name: String
    public let mode: ListenerSettings.Mode
    public let bind: SocketAddress
    public let routes: [RoutePlan]
    /// What an inbound listener selects from, most wanted first; empty: ALPN is ignored.
    public let applicationProtocols: [String]

    public init(_ listener: ListenerSettings) {
        name = listener.name
        mode = listener.mode
        bind = SocketAddress(listener.bind.value)
        routes = listener.routes.map(RoutePlan.init)
        var protocols: [String] = []
        for name in listener.routes.flatMap(\.match.applicationProtocols) where !protocols.contains(name) {
            protocols.append(name)
        }
        applicationProtocols = protocols
    }
}

/// One route, with its endpoints in the form that a connect takes.
public struct RoutePlan: Sendable {
    public let name: String
    public let match: RouteMatch
    public let policyIndex: Int?
    public let upstream: UpstreamSettings
    public let endpoints: [SocketAddress]

    init(_ route: RouteSettings) {
        name = route.name
        match = route.match
        policyIndex = route.policyIndex
        upstream = route.upstream
        switch route.upstream.target {
        case .endpoints(let list): endpoints = list.map(SocketAddress.init)
        case .builtin: endpoints = []
        }
    }

    var builtin: BuiltinUpstream? {
        if case .builtin(let builtin) = upstream.target { builtin } else { nil }
    }
}

/// One worker's share of the process's limits; durations in nanoseconds.
public struct WorkerLimits: Sendable {
    public let connections: Int
    public let concurrentHandshakes: Int
    public let handshakeTimeoutNanoseconds: UInt64
    public let connectTimeoutNanoseconds: UInt64
    public let idleTimeoutNanoseconds: UInt64
    public let halfCloseTimeoutNanoseconds: UInt64
    public let drainTimeoutNanoseconds: UInt64
    public let bufferBytes: Int
    /// Bytes of handshakes that may wait for their turn.
    public let heldFlightBytes: Int
    /// How long an ended connection waits for a reader that takes nothing of what is queued.
    public let flushTimeoutNanoseconds: UInt64 = 5_000_000_000
    /// How long a refused client may take to read why.
    public let lingerTimeoutNanoseconds: UInt64 = 1_000_000_000

    init(_ limits: LimitSettings, workers: Int) {
        connections = (limits.connections + workers - 1) / workers
        concurrentHandshakes = (limits.concurrentHandshakes + workers - 1) / workers
        handshakeTimeoutNanoseconds = Self.nanoseconds(limits.handshakeTimeoutMilliseconds)
        connectTimeoutNanoseconds = Self.nanoseconds(limits.connectTimeoutMilliseconds)
        idleTimeoutNanoseconds = Self.nanoseconds(limits.idleTimeoutMilliseconds)
        halfCloseTimeoutNanoseconds = Self.nanoseconds(limits.halfCloseTimeoutMilliseconds)
        drainTimeoutNanoseconds = Self.nanoseconds(limits.drainTimeoutMilliseconds)
        bufferBytes = Self.bufferBytesOfProcess / workers
        heldFlightBytes = Self.heldFlightBytesOfProcess / workers
    }

    private static func nanoseconds(_ milliseconds: Int) -> UInt64 { UInt64(milliseconds) * 1_000_000 }

    /// Memory that bytes on their way may take in the whole process; touched only as needed.
    private static let bufferBytesOfProcess = 256 * 1024 * 1024
    /// A hello takes less than 2 KiB: as many wait as there may be connections.
    private static let heldFlightBytesOfProcess = 16 * 1024 * 1024
}

extension SocketAddress {
    /// The address of an endpoint of the settings.
    public init(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .v4(let address): self.init(v4: address, port: endpoint.port)
        case .v6(let high, let low): self.init(v6: high, low, port: endpoint.port)
        }
    }

    /// The same address in the form that policy and logs speak of; IPv4 inside IPv6 is folded.
    public var endpoint: Endpoint {
        if let v4 { return Endpoint(address: .v4(v4), port: port) }
        let (high, low) = v6 ?? (0, 0)
        return Endpoint(address: IPAddress.v6(high, low).folded, port: port)
    }
}
