/// The keys of `limits`.
enum LimitKeys {
    static let section = Section(
        of: LimitSettings(),
        [
            .key(
                Key("connections", .count(1...1_000_000), "Connections open at a time, over all listeners."),
                at: \.connections, appliesAt: .start),
            .key(
                Key(
                    "connectionsPerSource", .count(1...1_000_000),
                    "Of them, those to inbound listeners from one IPv4 address or IPv6 /64, and never more than four"
                        + " times the free places; each worker counts its own."),
                at: \.connectionsPerSource),
            .key(
                Key("handshakeTimeout", .duration(shortWaits), "From accept to the end of the TLS handshake."),
                at: \.handshakeTimeoutMilliseconds),
            .key(
                Key(
                    "concurrentHandshakes", .count(1...100_000),
                    "Inbound handshakes in progress at a time; others wait, their sources in rotation, and one that is"
                        + " silent for a second gives its turn up."),
                at: \.concurrentHandshakes),
            .key(
                Key(
                    "connectTimeout", .duration(shortWaits),
                    "From dialling an endpoint until it stands; then the next is tried."),
                at: \.connectTimeoutMilliseconds),
            .key(
                Key(
                    "idleTimeout", .duration(longWaits),
                    "A connection without a byte in either direction is closed after this."),
                at: \.idleTimeoutMilliseconds),
            .key(
                Key(
                    "halfCloseTimeout", .duration(longWaits),
                    "After the end of one direction, without a byte in the other."),
                at: \.halfCloseTimeoutMilliseconds),
            .key(
                Key("drainTimeout", .duration(0...3_600_000), "From SIGTERM until what is still open is cut."),
                at: \.drainTimeoutMilliseconds),
            .key(
                Key(
                    "memory", .size(8 << 20...1 << 40),
                    "For connections and the bytes on their way; without it, 256MiB or half of the cgroup's limit,"
                        + " whichever is less. Where it runs short, connections are read in smaller pieces, not cut; as"
                        + " many may be open as have 56 KiB each in seven tenths of it."),
                at: \.memoryBytes, appliesAt: .start),
        ])

    private static let shortWaits = 10...600_000
    private static let longWaits = 10...720 * 3_600_000
}
