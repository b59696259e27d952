/// The settings in use and the watch on their files. Belongs to the control thread.
struct SettingsSource {
    var reload: ReloadState
    var files: WatchedFiles

    init(_ ready: CheckedSettings.Ready, path: String, on loop: ControlLoop) throws(ControlFault) {
        reload = ReloadState(ready, path: path)
        files = try WatchedFiles(reload.paths, on: loop)
    }

    /// Reads the files if that is due; nil if it is not. The caller says by ``WatchedFiles/looked(isSound:)`` what came
    /// of it.
    mutating func readIfDue(now: Int64) -> ReloadState.Outcome? { files.takeTurn() ? reload.readFiles(now: now) : nil }

    /// Records the state now being served.
    mutating func adopt(_ state: DesiredState) {
        reload.adopt(state)
        files.paths = reload.paths
    }
}
