import Settings

/// The times of a drain that stand in place of those of the settings.
public struct DrainTimes: Hashable, Sendable {
    public var delayMilliseconds: Int?
    public var timeoutMilliseconds: Int?

    public init(delayMilliseconds: Int? = nil, timeoutMilliseconds: Int? = nil) {
        self.delayMilliseconds = delayMilliseconds
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    func replacing(in settings: Settings) -> Settings {
        var settings = settings
        if let delayMilliseconds { settings.limits.drainDelayMilliseconds = delayMilliseconds }
        if let timeoutMilliseconds { settings.limits.drainTimeoutMilliseconds = timeoutMilliseconds }
        return settings
    }
}
