/// The keys of `limits`.
enum LimitKeys {
    static let section = Section(
        of: LimitSettings(),
        [
            .key(
                Key("connections", .count(1...1_000_000), "Open connections, over all listeners."),
                at: \.connections, appliesAt: .start),
            .key(
                Key(
                    "connectionsPerSource", .count(1...1_000_000),
                    "Open inbound connections from one IPv4 address or IPv6 /64, and never more than four times the"
                        + " free places; counted per worker."),
                at: \.connectionsPerSource),
            .key(
                Key(
                    "handshakeTimeout", .duration(shortWaits),
                    "From accept, or of an upstream from its connect, to the end of the TLS handshake."),
                at: \.handshakeTimeoutMilliseconds),
            .key(
                Key(
                    "concurrentHandshakes", .count(1...100_000),
                    "Inbound handshakes in progress; others queue, in rotation by source, and one that is"
                        + " silent for a second gives up its turn."),
                at: \.concurrentHandshakes),
            .key(
                Key(
                    "connectTimeout", .duration(shortWaits),
                    "From dialling an endpoint to an established connection; then the next endpoint is tried."),
                at: \.connectTimeoutMilliseconds),
            .key(
                Key(
                    "idleTimeout", .duration(longWaits),
                    "Closes a connection after this long without a byte in either direction."),
                at: \.idleTimeoutMilliseconds),
            .key(
                Key(
                    "halfCloseTimeout", .duration(longWaits),
                    "Closes a half-closed connection after this long without a byte in the open direction."),
                at: \.halfCloseTimeoutMilliseconds),
            .key(
                Key(
                    "drainDelay", .duration(0...3_600_000),
                    "From SIGTERM until inbound listeners stop accepting; never longer than drainTimeout."),
                at: \.drainDelayMilliseconds),
            .key(
                Key(
                    "drainTimeout", .duration(0...3_600_000),
                    "From SIGTERM until connections that are still open are cut."),
                at: \.drainTimeoutMilliseconds),
            .key(
                Key(
                    "memory", .size(8 << 20...1 << 40),
                    "Memory for connections and the bytes in flight; without it, 256MiB or half of the cgroup's limit,"
                        + " whichever is less. A shortage makes reads shorter and cuts no connection. It also limits"
                        + " open connections: 56 KiB each in seven tenths of it."),
                at: \.memoryBytes, appliesAt: .start),
        ])

    private static let shortWaits = 10...600_000
    private static let longWaits = 10...720 * 3_600_000
}
