import DataPlane
import Synchronization

/// A queue of worker reports to the control thread, which it wakes.
final class WorkerReports: Sendable {
    let wake: ControlWake
    private let waiting = Mutex<[WorkerEvent]>([])

    init() throws(ControlFault) { wake = try ControlWake() }

    /// Any thread.
    func post(_ event: WorkerEvent) {
        waiting.withLock { $0.append(event) }
        wake.signal()
    }

    /// Removes and returns the queued reports.
    func take() -> [WorkerEvent] {
        waiting.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }
}
