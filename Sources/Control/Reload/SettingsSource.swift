import System

/// The settings in use and the watch on their files. Belongs to the control thread.
struct SettingsSource {
    var reload: ReloadState
    var schedule: ReloadSchedule
    private let watch: FileWatch

    init(_ ready: CheckedSettings.Ready, path: String, on loop: ControlLoop) throws(ControlFault) {
        reload = ReloadState(ready, path: path)
        watch = try FileWatch(reload.paths)
        schedule = ReloadSchedule(now: MonotonicClock.milliseconds())
        // Catches changes made before the watch was set up.
        schedule.forced(now: MonotonicClock.milliseconds())
        try loop.watch(files: watch.descriptor)
    }

    /// Handles the events of a watch.
    mutating func filesChanged(_ descriptor: Int32) {
        guard descriptor == watch.descriptor, watch.takeEvents() else { return }
        schedule.changed(now: MonotonicClock.milliseconds())
    }

    var millisecondsUntilDue: Int { Int(max(0, schedule.dueAt - MonotonicClock.milliseconds())) }

    /// Reads the files. Rearms the watch first, so that no change after the read is missed.
    mutating func readFiles(now: Int64) -> ReloadState.Outcome {
        watch.rearm()
        return reload.readFiles(now: now)
    }

    /// Records the state now being served.
    mutating func adopt(_ state: DesiredState) {
        reload.adopt(state)
        watch.paths = reload.paths
    }
}
