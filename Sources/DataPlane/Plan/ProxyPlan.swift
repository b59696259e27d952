import EventLoop
import Identity
import Policy
public import Settings
public import System
public import TLS
public import SVID

/// Everything a worker serves by, immutable and shared by all workers: settings resolved to what the hot path needs.
public struct ProxyPlan: Sendable {
    public let listeners: [ListenerPlan]
    /// Nil while there is no SVID: then nothing is accepted.
    public let material: IdentityMaterial?
    public let tls: TLSOptions
    public let limits: WorkerLimits
    /// The mark of dialled sockets; 0 for none.
    let mark: UInt32

    /// - Parameters:
    ///   - workers: how many workers share the limits of the process.
    ///   - memoryBytes: of the process, for all that grows with its peers.
    ///   - connectionsAtMost: how many the process has descriptors for.
    ///   - names: the addresses of the names among the endpoints.
    public init(
        settings: Settings, material: IdentityMaterial?, workers: Int, memoryBytes: Int, connectionsAtMost: Int = .max,
        names: ResolvedNames = ResolvedNames()
    ) {
        listeners = settings.listeners.map {
            ListenerPlan($0, settings.policies, localID: material?.id.description, names: names, workers: workers)
        }
        self.material = material
        mark = UInt32(clamping: settings.mark ?? 0)
        tls = TLSOptions(settings.tls)
        limits = WorkerLimits(
            settings.limits, workers: workers, memoryBytes: memoryBytes, connectionsAtMost: connectionsAtMost)
    }

    /// How many connections each worker has memory for, if that is less than its share of what the settings allow.
    public var connectionsByMemory: Int? {
        let loop = LoopLimits(memoryBytes: limits.memoryBytes)
        let budget = MemoryBudget(
            bytes: limits.memoryBytes, connections: limits.connections, receives: loop.receiveBuffers,
            receiveBytes: loop.receiveBufferBytes)
        return budget.connections < limits.connections ? budget.connections : nil
    }
}

/// One worker's share of the process's limits; durations in nanoseconds.
public struct WorkerLimits: Sendable {
    public let connections: Int
    public let concurrentHandshakes: Int
    /// From one source address.
    public let connectionsPerSource: Int
    public let handshakeTimeoutNanoseconds: UInt64
    /// How long a peer may be silent in its handshake while another one waits for a turn.
    public let turnPatienceNanoseconds: UInt64
    public let connectTimeoutNanoseconds: UInt64
    public let idleTimeoutNanoseconds: UInt64
    public let halfCloseTimeoutNanoseconds: UInt64
    public let drainDelayNanoseconds: UInt64
    public let drainTimeoutNanoseconds: UInt64
    /// For all that grows with the number of peers.
    public let memoryBytes: Int
    /// How long an ended connection waits for a reader that reads none of the queued bytes.
    public let flushTimeoutNanoseconds: UInt64 = 5_000_000_000
    /// How long a revoked connection may take to end.
    public let revokedTimeoutNanoseconds: UInt64 = 500_000_000
    /// How long a refused client may take to read why.
    public let lingerTimeoutNanoseconds: UInt64 = 1_000_000_000

    init(_ limits: LimitSettings, workers: Int, memoryBytes: Int, connectionsAtMost: Int) {
        connections = (min(limits.connections, connectionsAtMost) + workers - 1) / workers
        connectionsPerSource = limits.connectionsPerSource
        concurrentHandshakes = (limits.concurrentHandshakes + workers - 1) / workers
        handshakeTimeoutNanoseconds = Self.nanoseconds(limits.handshakeTimeoutMilliseconds)
        turnPatienceNanoseconds = min(handshakeTimeoutNanoseconds / 5, 1_000_000_000)
        connectTimeoutNanoseconds = Self.nanoseconds(limits.connectTimeoutMilliseconds)
        idleTimeoutNanoseconds = Self.nanoseconds(limits.idleTimeoutMilliseconds)
        halfCloseTimeoutNanoseconds = Self.nanoseconds(limits.halfCloseTimeoutMilliseconds)
        drainDelayNanoseconds = Self.nanoseconds(limits.drainDelayMilliseconds)
        drainTimeoutNanoseconds = Self.nanoseconds(limits.drainTimeoutMilliseconds)
        self.memoryBytes = memoryBytes / workers
    }

    private static func nanoseconds(_ milliseconds: Int) -> UInt64 { UInt64(milliseconds) * 1_000_000 }
}

extension TLSOptions {
    public init(_ settings: TLSSettings) {
        self.init(minVersion: settings.minVersion == .tls12 ? .tls12 : .tls13, resumption: settings.resumption)
        if let groups = settings.keyExchange { keyExchange = groups.map(KeyExchangeGroup.init) }
    }
}

extension KeyExchangeGroup {
    public init(_ group: TLSSettings.KeyExchange) {
        self =
            switch group {
            case .x25519MLKEM768: .x25519MLKEM768
            case .secP256r1MLKEM768: .secP256r1MLKEM768
            case .secP384r1MLKEM1024: .secP384r1MLKEM1024
            case .x25519: .x25519
            case .p256: .p256
            case .p384: .p384
            case .p521: .p521
            }
    }
}

extension SocketAddress {
    /// The address of an endpoint of the settings.
    public init(_ endpoint: Endpoint) {
        switch endpoint.address {
        case .v4(let address): self.init(v4: address, port: endpoint.port)
        case .v6(let high, let low): self.init(v6: high, low, port: endpoint.port)
        }
    }

    init(_ address: ListenAddress) {
        switch address {
        case .ip(let endpoint): self.init(endpoint)
        case .unix(let address): self.init(unix: address.name)
        }
    }

    /// As logs name it.
    public var text: String { unixName.map { "unix:\($0)" } ?? endpoint.description }

    /// The same address in the form that policy speaks of; IPv4 inside IPv6 is folded. A Unix socket has the
    /// unspecified address, and so is in no block of addresses but that of all.
    public var endpoint: Endpoint {
        if let v4 { return Endpoint(address: .v4(v4), port: port) }
        let (high, low) = v6 ?? (0, 0)
        return Endpoint(address: IPAddress.v6(high, low).folded, port: port)
    }
}
