/// Why a connection ended; the raw value is the access log's `reason` and stays as it is.
public enum CloseReason: String, Sendable, CaseIterable {
    /// Both sides finished, every byte was delivered.
    case finished
    /// The peer's certificate was refused in the handshake; `detail` has the code.
    case certificateRefused = "certificate-refused"
    /// The handshake failed for another cause; `detail` has the code.
    case handshakeFailed = "handshake-failed"
    case handshakeTimeout = "handshake-timeout"
    case policyDenied = "policy-denied"
    case noRoute = "no-route"
    /// No endpoint could be connected to; `detail` says why the last one could not.
    case upstreamUnreachable = "upstream-unreachable"
    case connectTimeout = "connect-timeout"
    /// TCP of the mutual TLS side broke.
    case peerReset = "peer-reset"
    /// The mutual TLS side ended TCP without close_notify: what came may have been cut short.
    case peerTruncated = "peer-truncated"
    /// TCP of the plaintext side broke.
    case applicationReset = "application-reset"
    /// A record could not be opened, or the peer sent an alert; `detail` has the code.
    case tlsFailure = "tls-failure"
    case idleTimeout = "idle-timeout"
    case halfCloseTimeout = "half-close-timeout"
    /// The drain's time was over.
    case drained
    case connectionLimit = "connection-limit"
    /// The worker's buffers or descriptors were used up.
    case overloaded

    /// True where the connection was turned away before a byte was forwarded.
    var isRefusal: Bool {
        switch self {
        case .certificateRefused, .handshakeFailed, .handshakeTimeout, .policyDenied, .noRoute, .connectionLimit,
            .overloaded:
            true
        default: false
        }
    }
}
