/// One key of `limits`: what it sets, and within which range.
struct LimitKey: Sendable {
    enum Unit {
        case count, milliseconds
    }

    let name: String
    let property: any WritableKeyPath<LimitSettings, Int> & Sendable
    let unit: Unit
    let allowed: ClosedRange<Int>
    let meaning: String

    var reference: SettingReference {
        SettingReference(
            "limits.\(name)",
            "\(unit == .count ? "number" : "duration"), \(text(allowed.lowerBound)) to "
                + text(allowed.upperBound), default: text(LimitSettings()[keyPath: property]), meaning)
    }

    private func text(_ value: Int) -> String {
        switch unit {
        case .count: "\(value)"
        case .milliseconds: "\(DurationText(value))"
        }
    }

    static let all = [
        LimitKey(
            name: "connections", property: \.connections, unit: .count, allowed: 1...1_000_000,
            meaning: "Connections open at a time, over all listeners."),
        LimitKey(
            name: "connectionsPerSource", property: \.connectionsPerSource, unit: .count, allowed: 1...1_000_000,
            meaning:
                "Of them, those to inbound listeners from one IPv4 address or IPv6 /64, and never more than four times the free places; each worker counts its own."
        ),
        LimitKey(
            name: "handshakeTimeout", property: \.handshakeTimeoutMilliseconds, unit: .milliseconds,
            allowed: shortWaits, meaning: "From accept to the end of the TLS handshake."),
        LimitKey(
            name: "concurrentHandshakes", property: \.concurrentHandshakes, unit: .count, allowed: 1...100_000,
            meaning:
                "Inbound handshakes in progress at a time; others wait, their sources in rotation, and one that is silent"
                + " for a second gives its turn up."),
        LimitKey(
            name: "connectTimeout", property: \.connectTimeoutMilliseconds, unit: .milliseconds, allowed: shortWaits,
            meaning: "From dialling an endpoint until it stands; then the next is tried."),
        LimitKey(
            name: "idleTimeout", property: \.idleTimeoutMilliseconds, unit: .milliseconds, allowed: longWaits,
            meaning: "A connection without a byte in either direction is closed after this."),
        LimitKey(
            name: "halfCloseTimeout", property: \.halfCloseTimeoutMilliseconds, unit: .milliseconds,
            allowed: longWaits, meaning: "After the end of one direction, without a byte in the other."),
        LimitKey(
            name: "drainTimeout", property: \.drainTimeoutMilliseconds, unit: .milliseconds,
            allowed: 0...hourMilliseconds, meaning: "From SIGTERM until what is still open is cut."),
    ]

    /// Allowed bytes of `limits.memory`, whose default is not a number of the file's.
    static let memory = 8 << 20...1 << 40

    static var memoryReference: SettingReference {
        SettingReference(
            "limits.memory",
            "size, \(SizeText(memory.lowerBound)) to \(SizeText(memory.upperBound))",
            "For connections and the bytes on their way; without it, 256MiB or half of the cgroup's limit, whichever is"
                + " less. Where it runs short, connections are read in smaller pieces, not cut; as many may be open as"
                + " have 56 KiB each in seven tenths of it.")
    }

    private static let hourMilliseconds = 3_600_000
    private static let shortWaits = 10...600_000
    private static let longWaits = 10...720 * hourMilliseconds
}
