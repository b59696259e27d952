public import Policy

/// Everything a settings file says, checked and with defaults filled in.
public struct Settings: Sendable {
    public var identity: IdentitySettings
    /// Where further trust domains publish their bundles.
    public var federation: [BundleEndpoint] = []
    public var admin: AdminSettings?
    /// Nil: as many as the CPU quota, rounded up.
    public var workers: Int?
    public var eventLoop: EventLoopChoice
    public var tls: TLSSettings
    public var listeners: [ListenerSettings]
    /// Compiled, in the order of the file; `RouteSettings.policyIndex` points here.
    public var policies: [Policy]
    public var limits: LimitSettings
    public var accessLog: AccessLogChoice
    public var log: LogSettings

    public init(
        identity: IdentitySettings,
        admin: AdminSettings? = nil,
        workers: Int? = nil,
        eventLoop: EventLoopChoice = .auto,
        tls: TLSSettings = TLSSettings(),
        listeners: [ListenerSettings],
        policies: [Policy] = [],
        limits: LimitSettings = LimitSettings(),
        accessLog: AccessLogChoice = .standardOutput,
        log: LogSettings = LogSettings()
    ) {
        self.identity = identity
        self.admin = admin
        self.workers = workers
        self.eventLoop = eventLoop
        self.tls = tls
        self.listeners = listeners
        self.policies = policies
        self.limits = limits
        self.accessLog = accessLog
        self.log = log
    }
}
