import System

/// The settings in use with the watch on their files. Belongs to the control thread.
struct SettingsSource {
    var configuration: Configuration
    var schedule: LookSchedule
    private let watch: FileWatch

    init(_ ready: CheckedSettings.Ready, path: String, on loop: ControlLoop) throws(ControlFault) {
        configuration = Configuration(ready, path: path)
        watch = try FileWatch(configuration.paths)
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

    /// Looks at the files. First the watch goes where the paths lead now: a change after that is told of.
    mutating func look(now: Int64) -> Configuration.Outcome {
        watch.rearm()
        return configuration.look(now: now)
    }

    /// The change is served by.
    mutating func take(_ change: Configuration.Change) {
        configuration.take(change)
        watch.paths = configuration.paths
    }
}
