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
    /// Port 0 lets the kernel choose.
    public var bind: Endpoint
    /// Tried in order; the first match wins. Never empty.
    public var routes: [RouteSettings]

    /// What becomes of a connection whose peer's certificate has ended.
    public var expiry = Expiry.quiet
    /// How long a connection that never pauses may outlive its peer's certificate, or its own age.
    public var expiryGraceMilliseconds = 600_000
    /// Nil: connections may live as long as they like.
    public var maxConnectionAgeMilliseconds: Int?

    public enum Expiry: String, Hashable, Sendable, CaseIterable {
        /// It is closed in the first second without a byte, or at the end of the grace.
        case quiet
        /// It is closed at once.
        case close
        /// It may finish.
        case finish
    }

    public init(name: String, mode: Mode, bind: Endpoint, routes: [RouteSettings]) {
        self.name = name
        self.mode = mode
        self.bind = bind
        self.routes = routes
    }
}
