public import Policy

/// One bound address and the routes behind it.
public struct ListenerSettings: Equatable, Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// mTLS in, plaintext to the application.
        case inbound
        /// Plaintext from the application, mTLS to the peer.
        case outbound
    }

    public var name: String
    public var mode: Mode
    public var bind: ListenAddress
    /// Of a Unix socket's file.
    public var socket = SocketAccess()
    /// Nil: whoever can connect may.
    public var callers: CallerSettings?
    /// Tried in order; the first match wins. Never empty.
    public var routes: [RouteSettings]

    /// Nil: every client must present a certificate.
    public var permissive: PermissiveSettings?
    /// The load balancers whose PROXY protocol header names the real source; empty on an outbound listener.
    public var balancers: [CIDR] = []
    /// How it gets connections that were meant for other addresses.
    public var transparency = Transparency.off
    /// The application is dialled from the caller's address; inbound with ``Transparency/tproxy`` only.
    public var keepsSource = false
    /// Of connections that no route matches; other than `refuse` only on a transparent outbound listener.
    public var unmatched = UnmatchedConnections.refuse
    /// Outbound: callers on other hosts may use this proxy's SVID.
    public var allowsRemoteCallers = false

    /// What happens to a connection when its peer's certificate expires.
    public var expiry = Expiry.quiet
    /// How long a connection that never pauses may outlive its peer's certificate or ``maxConnectionAge``.
    public var expiryGraceMilliseconds = 600_000
    /// Nil: no limit.
    public var maxConnectionAgeMilliseconds: Int?

    public enum Expiry: String, Hashable, Sendable, CaseIterable {
        /// It is closed at the first pause of a second, or at the end of the grace period.
        case quiet
        /// It is closed at once.
        case close
        /// It may finish.
        case finish
    }

    public init(name: String, mode: Mode, bind: ListenAddress, routes: [RouteSettings]) {
        self.name = name
        self.mode = mode
        self.bind = bind
        self.routes = routes
    }
}
