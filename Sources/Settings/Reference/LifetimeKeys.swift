/// The keys of a listener that end connections which nothing else ends.
enum LifetimeKeys {
    static let graceDefault = 600_000
    static let graceAllowed = 0...86_400_000
    static let ageAllowed = 1_000...30 * 86_400_000

    static let references = [
        SettingReference(
            "listeners[].expiry", ListenerSettings.Expiry.allCases.map(\.rawValue).joined(separator: " | "),
            default: ListenerSettings.Expiry.quiet.rawValue,
            "When the peer's certificate ends: quiet closes in the first second without a byte, close at once, "
                + "finish lets it finish."),
        SettingReference(
            "listeners[].expiryGrace", range(graceAllowed), default: "\(DurationText(graceDefault))",
            "How long a connection that never pauses goes on after that end, or after maxConnectionAge."),
        SettingReference(
            "listeners[].maxConnectionAge", range(ageAllowed),
            "Closes connections of this age, give or take a tenth, in the first second without a byte."),
    ]

    private static func range(_ allowed: ClosedRange<Int>) -> String {
        "duration, \(DurationText(allowed.lowerBound)) to \(DurationText(allowed.upperBound))"
    }
}
