/// One bound address and the routes behind it.
public struct ListenerSettings: Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// mTLS in, plaintext to the application.
        case inbound
        /// Plaintext from the application, mTLS to the peer.
        case outbound
    }

    public var name: String
    public var mode: Mode
    /// Port 0 lets the kernel choose.
    public var bind: Located<Endpoint>
    /// Tried in order; the first match wins. Never empty.
    public var routes: [RouteSettings]

    public init(name: String, mode: Mode, bind: Located<Endpoint>, routes: [RouteSettings]) {
        self.name = name
        self.mode = mode
        self.bind = bind
        self.routes = routes
    }
}
