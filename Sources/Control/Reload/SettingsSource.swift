import System

/// The settings in use with the watch on their files. Belongs to the control thread.
struct SettingsSource {
    var reload: ReloadState
    var schedule: LookSchedule
    private let watch: FileWatch

    init(_ ready: CheckedSettings.Ready, path: String, on loop: ControlLoop) throws(ControlFault) {
        reload = ReloadState(ready, path: path)
        watch = try FileWatch(reload.paths)
        schedule = LookSchedule(now: MonotonicClock.milliseconds())
        // What changed before the watch stood is seen at once.
        schedule.forced(now: MonotonicClock.milliseconds())
        try loop.watch(files: watch.descriptor)
    }

    /// Takes what a watch has told.
    mutating func filesChanged(_ descriptor: Int32) {
        guard descriptor == watch.descriptor, watch.takeEvents() else { return }
        schedule.changed(now: MonotonicClock.milliseconds())
    }

    var millisecondsUntilDue: Int { Int(max(0, schedule.dueAt - MonotonicClock.milliseconds())) }

    /// Reads the files. First the watch goes where the paths lead now: a change after that is told of.
    mutating func readFiles(now: Int64) -> ReloadState.Outcome {
        watch.rearm()
        return reload.readFiles(now: now)
    }

    /// Another state is served by.
    mutating func adopt(_ state: DesiredState) {
        reload.adopt(state)
        watch.paths = reload.paths
    }
}
