/// Where a listener accepts connections.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// Port 0 lets the kernel choose.
    case ip(Endpoint)
    case unix(UnixAddress)

    /// Nil for a Unix socket.
    public var endpoint: Endpoint? { if case .ip(let endpoint) = self { endpoint } else { nil } }

    public var description: String {
        switch self {
        case .ip(let endpoint): "\(endpoint)"
        case .unix(let address): "\(address)"
        }
    }
}

/// Who may connect to the file of a Unix socket.
public struct SocketAccess: Hashable, Sendable {
    /// Permission bits; nil: the proxy's own user, or everyone where the listener names its callers.
    public var mode: UInt32?
    /// The owner of the file; nil: the proxy's own user.
    public var user: UInt32?
    public var group: UInt32?
}

/// The local users and groups that may use a Unix socket's listener: one of them must be the caller's.
public struct CallerSettings: Hashable, Sendable {
    public var users: [UInt32] = []
    public var groups: [UInt32] = []
}
