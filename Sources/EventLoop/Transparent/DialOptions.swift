public import System

/// What a dialled socket is given before its connect.
public struct DialOptions: Equatable, Sendable {
    /// SO_MARK, by which firewall rules and routes tell the proxy's own connections; 0 for none.
    public var mark: UInt32
    /// The address to dial from, which need not be one of this host (IP_TRANSPARENT); its port is not used.
    public var source: SocketAddress?

    public init(mark: UInt32 = 0, source: SocketAddress? = nil) {
        self.mark = mark
        self.source = source
    }

    /// A socket as the kernel makes it.
    var isPlain: Bool { mark == 0 && source == nil }
}
