/// The limits of one process; every default is one we would run ourselves.
public struct LimitSettings: Hashable, Sendable {
    /// Open connections, over all listeners.
    public var connections = 10_000
    /// Open connections from one source address to inbound listeners.
    public var connectionsPerSource = 1_000_000
    /// Bytes of memory that may grow with the number of peers; nil: derived from the cgroup.
    public var memoryBytes: Int?
    /// From accept to the end of the TLS handshake.
    public var handshakeTimeoutMilliseconds = 5_000
    /// Handshakes in progress, over all listeners.
    public var concurrentHandshakes = 1_024
    /// From the dial to an established upstream connection.
    public var connectTimeoutMilliseconds = 2_000
    /// Time without a byte in either direction.
    public var idleTimeoutMilliseconds = 3_600_000
    /// Time without a byte in the open direction of a half-closed connection.
    public var halfCloseTimeoutMilliseconds = 60_000
    /// From SIGTERM until inbound listeners stop accepting, at most until connections are cut.
    public var drainDelayMilliseconds = 0
    /// From SIGTERM until connections that are still open are cut.
    public var drainTimeoutMilliseconds = 30_000

    public init() {}
}
