import TLS

/// Why a connection ended; the raw value is the access log's `reason` and stays as it is.
public enum CloseReason: String, Sendable, CaseIterable {
    /// Both sides finished, every byte was delivered.
    case finished
    /// The peer's certificate was refused in the handshake; `detail` has the code.
    case certificateRefused = "certificate-refused"
    /// The handshake failed for another reason; `detail` has the code.
    case handshakeFailed = "handshake-failed"
    case handshakeTimeout = "handshake-timeout"
    case policyDenied = "policy-denied"
    case noRoute = "no-route"
    /// It would be, or is, a connection of this proxy to itself.
    case loop
    /// A caller on another host, which the outbound listener does not allow.
    case remoteCaller = "remote-caller"
    /// No endpoint could be connected to; `detail` says why the last one could not.
    case upstreamUnreachable = "upstream-unreachable"
    case connectTimeout = "connect-timeout"
    /// Every endpoint had as many connections as it may, for too long.
    case upstreamLimit = "upstream-limit"
    /// TCP failed on the mutual TLS side.
    case peerReset = "peer-reset"
    /// The mutual TLS side closed TCP without close_notify: its stream may be truncated.
    case peerTruncated = "peer-truncated"
    /// TCP failed on the plaintext side.
    case applicationReset = "application-reset"
    /// A record could not be opened, or the peer sent an alert; `detail` has the code.
    case tlsFailure = "tls-failure"
    case idleTimeout = "idle-timeout"
    case halfCloseTimeout = "half-close-timeout"
    /// The drain time-out expired.
    case drained
    /// It was admitted before, and a change of policy, or of the identities a route accepts, denies it now.
    case policyChanged = "policy-changed"
    /// It was admitted before, and no route of the new settings matches it.
    case routeRemoved = "route-removed"
    /// The new settings have no such listener.
    case listenerRemoved = "listener-removed"
    /// The trust bundle that its peer rests on is gone, or has lost the authority.
    case bundleRemoved = "bundle-removed"
    /// A certificate of its peer's chain is on a CRL.
    case revoked
    /// CRLs are required, and the one for its peer is missing or stale.
    case revocationUnknown = "revocation-unknown"
    /// A certificate of the peer's chain has expired.
    case certificateExpired = "certificate-expired"
    case maxConnectionAge = "max-connection-age"
    /// The proxy no longer has an SVID.
    case identityWithdrawn = "identity-withdrawn"
    case connectionLimit = "connection-limit"
    /// Its source address has reached its connection limit.
    case sourceLimit = "source-limit"
    /// The worker's buffers or descriptors were used up.
    case overloaded

    /// Whether it refuses admission because of who asked, or for what.
    var refusesAdmission: Bool {
        switch self {
        case .certificateRefused, .policyDenied, .noRoute, .loop, .remoteCaller: true
        default: false
        }
    }

    /// The alert for the peer if this ends an established connection.
    var abort: TLSAbort {
        switch self {
        case .policyChanged, .routeRemoved, .bundleRemoved, .revoked, .revocationUnknown, .certificateExpired:
            .accessDenied
        default: .userCanceled
        }
    }
}
