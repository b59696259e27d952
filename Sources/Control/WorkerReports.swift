import DataPlane
import Synchronization

/// Carries what workers tell to the control thread, and wakes it.
final class WorkerReports: Sendable {
    let wake: ControlWake
    private let waiting = Mutex<[WorkerEvent]>([])

    init() throws(ControlFault) { wake = try ControlWake() }

    /// Any thread.
    func post(_ event: WorkerEvent) {
        waiting.withLock { $0.append(event) }
        wake.signal()
    }

    /// Takes what has come.
    func take() -> [WorkerEvent] {
        waiting.withLock { waiting in
            defer { waiting.removeAll() }
            return waiting
        }
    }
}
