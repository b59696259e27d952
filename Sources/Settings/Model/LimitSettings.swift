/// What one process spends at most; every default is one we would run ourselves.
public struct LimitSettings: Hashable, Sendable {
    /// Connections open at a time, over all listeners.
    public var connections = 10_000
    /// Of them, those that one source address may have to inbound listeners.
    public var connectionsPerSource = 1_000_000
    /// Bytes that may grow with the number of peers; nil for what the machine suggests.
    public var memoryBytes: Int?
    /// From accept to the end of the TLS handshake.
    public var handshakeTimeoutMilliseconds = 5_000
    /// Handshakes in progress at a time, over all listeners.
    public var concurrentHandshakes = 1_024
    /// From the dial to an established upstream connection.
    public var connectTimeoutMilliseconds = 2_000
    /// Without a byte in either direction.
    public var idleTimeoutMilliseconds = 3_600_000
    /// From the end of one direction without a byte in the other.
    public var halfCloseTimeoutMilliseconds = 60_000
    /// From SIGTERM until what is still open is cut.
    public var drainTimeoutMilliseconds = 30_000

    public init() {}
}
