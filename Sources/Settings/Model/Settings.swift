public import Policy

/// The contents of a settings file, checked and with defaults filled in.
public struct Settings: Equatable, Sendable {
    public var identity: IdentitySettings
    /// The bundle endpoints of federated trust domains.
    public var federation: [BundleEndpoint]
    public var admin: AdminSettings?
    /// Nil: the CPU quota, rounded up.
    public var workers: Int?
    public var eventLoop = EventLoopChoice.auto
    public var tls = TLSSettings()
    public var listeners: [ListenerSettings]
    /// Compiled, in the order of the file; `RouteSettings.policyIndex` points here.
    public var policies: [Policy]
    public var limits = LimitSettings()
    public var accessLog = AccessLogChoice.standardOutput
    public var log = LogSettings()
    /// The mark of the sockets that the proxy dials with (SO_MARK); nil: none.
    public var mark: Int?

    public init(
        identity: IdentitySettings, federation: [BundleEndpoint] = [], listeners: [ListenerSettings] = [],
        policies: [Policy] = []
    ) {
        self.identity = identity
        self.federation = federation
        self.listeners = listeners
        self.policies = policies
    }
}

/// The plaintext HTTP endpoint with `/livez` and `/readyz`, at one of two places or at both.
public struct AdminSettings: Hashable, Sendable {
    /// Port 0 lets the kernel choose.
    public var bind: Endpoint?
    public var socket: AdminSocketSettings?
    /// Whether what changes the proxy's state may be asked for over TCP too.
    public var allowsChanges: Bool

    public init(bind: Endpoint?, socket: AdminSocketSettings? = nil, allowsChanges: Bool = false) {
        self.bind = bind
        self.socket = socket
        self.allowsChanges = allowsChanges
    }
}

/// A Unix socket of the admin endpoint: its file says who may connect.
public struct AdminSocketSettings: Hashable, Sendable {
    public var address: UnixAddress
    public var access: SocketAccess
}

/// The kernel interface of the event loop.
public enum EventLoopChoice: String, Hashable, Sendable, CaseIterable {
    /// io_uring where the kernel allows it, else epoll.
    case auto
    case ioURing = "io_uring"
    case epoll
}
