import System

/// Files that are read again when they have changed. Belongs to the control thread.
package struct WatchedFiles {
    private let watch: FileWatch
    private var schedule: ReloadSchedule

    package init(_ paths: [String], on loop: ControlLoop) throws(ControlFault) {
        watch = try FileWatch(paths)
        schedule = ReloadSchedule(now: MonotonicClock.milliseconds())
        // Catches what changed before the watch was set up.
        schedule.forced(now: MonotonicClock.milliseconds())
        try loop.watch(files: watch.descriptor)
    }

    package var paths: [String] {
        get { watch.paths }
        nonmutating set { watch.paths = newValue }
    }

    /// Handles the events of a watch.
    package mutating func filesChanged(_ descriptor: Int32) {
        guard descriptor == watch.descriptor, watch.takeEvents() else { return }
        schedule.changed(now: MonotonicClock.milliseconds())
    }

    /// Makes a read due at once.
    package mutating func readAsked() { schedule.forced(now: MonotonicClock.milliseconds()) }

    package var millisecondsUntilDue: Int { Int(max(0, schedule.dueAt - MonotonicClock.milliseconds())) }

    /// Whether the files are to be read now. Call ``looked(isSound:)`` once they are.
    package func takeTurn() -> Bool {
        guard millisecondsUntilDue == 0 else { return false }
        // First, so that no change after the read is missed.
        watch.rearm()
        return true
    }

    /// The files have been read; flawed ones are read again soon.
    package mutating func looked(isSound: Bool) {
        schedule.looked(now: MonotonicClock.milliseconds(), isSound: isSound)
    }
}
