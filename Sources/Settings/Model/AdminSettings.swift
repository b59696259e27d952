/// The plaintext HTTP endpoint with `/livez` and `/readyz`.
public struct AdminSettings: Hashable, Sendable {
    /// Port 0 lets the kernel choose.
    public var bind: Endpoint

    public init(bind: Endpoint) {
        self.bind = bind
    }
}
