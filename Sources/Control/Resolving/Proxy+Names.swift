import DataPlane
import Settings

/// Serves by the addresses of names.
extension Proxy {
    /// Begins the lookups that are due, and applies changed addresses; returns the milliseconds until the next one.
    func lookUpNames() -> Int? {
        let wait = resolver.tick()
        guard resolver.takeChange() else { return wait }
        if !apply(source?.reload.state ?? installer.state, because: .names) { retryInstall() }
        return wait
    }

    /// How long a start or a change of the settings waits for the first answers to its names.
    static var namePatienceMilliseconds: Int { 2_000 }
}
