/// Reload counters and status.
struct ReloadFigures {
    /// Number of applied reloads.
    var reloads: UInt64 = 0
    /// Number of reloads that found new flaws.
    var settingsFailures: UInt64 = 0
    var identityFailures: UInt64 = 0
    var settingsAreSound = true
    var identityIsSound = true
}
