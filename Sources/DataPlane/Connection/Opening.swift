/// What the next bytes of an inbound client are to be.
enum Opening: Equatable {
    /// A load balancer's header must come first.
    case proxyHeader
    /// They say whether the client speaks TLS.
    case detection
    /// TLS's.
    case tls
}
