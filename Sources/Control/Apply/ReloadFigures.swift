/// What reloading has come to so far.
struct ReloadFigures {
    /// How often something else was served by.
    var reloads: UInt64 = 0
    /// How often a look found flaws that had not been there before.
    var settingsFailures: UInt64 = 0
    var identityFailures: UInt64 = 0
    var settingsAreSound = true
    var identityIsSound = true
}
