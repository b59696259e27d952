import Glibc
public import Logging
import Synchronization
import System
public import Telemetry

/// Drains the workers' records and writes them as lines of JSON, on a thread of its own.
///
/// Workers never block on it: a full queue drops records, and the drops are counted and logged.
public final class AccessLogWriter: Sendable {
    /// One per worker, in order.
    public let feeds: [AccessLogFeed]

    /// Records dropped because the log's reader has stalled.
    var droppedCount: Int { feeds.reduce(0) { $0 + $1.queue.droppedCount } }

    private let wake: ControlWake
    private let finished: ControlWake
    private let request = Atomic<UInt8>(Request.none)

    /// Opens the destination and starts the thread.
    public init(
        _ destination: AccessLogDestination, workers: Int, recordsPerWorker: Int = 1_024, logger: Logger
    ) throws(ControlFault) {
        let output = try AccessLogOutput(destination)
        let wake = try ControlWake()
        self.wake = wake
        finished = try ControlWake()
        feeds = (0..<workers).map { _ in
            AccessLogFeed(queue: BoundedQueue(capacity: recordsPerWorker), wakeDescriptor: wake.number)
        }
        let handover = Mutex<AccessLogOutput?>(consume output)
        let gift = Gift(output: consume handover)
        // The thread holds the writer until `stop`: the eventfd in the feeds outlives their use.
        _ = try PosixThread.spawn(name: "access-log") { [self] in
            guard let output = gift.take() else { preconditionFailure("the output is taken once") }
            var drain = AccessLogDrain(output: output, queues: feeds.map(\.queue), logger: logger)
            self.run(&drain)
        }
    }

    /// Requests that the file be reopened (SIGHUP, after a rotation). Any thread.
    public func reopen() {
        _ = request.bitwiseOr(Request.reopen, ordering: .releasing)
        wake.signal()
    }

    /// Flushes the queues, then ends the thread; false if the log's reader did not take everything in time.
    ///
    /// Call it after the workers have ended.
    public func stop(withinMilliseconds timeout: Int32) -> Bool {
        _ = request.bitwiseOr(Request.stop, ordering: .releasing)
        wake.signal()
        return finished.wait(timeoutMilliseconds: timeout)
    }

    private func run(_ drain: inout AccessLogDrain) {
        while true {
            let asked = request.exchange(Request.none, ordering: .acquiring)
            if asked & Request.reopen != 0 { drain.reopen() }
            let moved = drain.pass(now: MonotonicClock.milliseconds(), isLast: asked & Request.stop != 0)
            if asked & Request.stop != 0 { break }
            if moved {
                // Under load the queues fill meanwhile, so one wake-up serves many records.
                _ = wake.wait(timeoutMilliseconds: Self.gatheringMilliseconds)
            } else if drain.prepareToSleep() {
                _ = wake.wait(timeoutMilliseconds: drain.hasUnreported ? AccessLogDrain.reportMilliseconds : -1)
            }
            wake.clear()
        }
        finished.signal()
    }

    private static let gatheringMilliseconds: Int32 = 10

    private enum Request {
        static let none: UInt8 = 0
        static let reopen: UInt8 = 1
        static let stop: UInt8 = 2
    }

    /// Carries the noncopyable output into the thread's closure.
    private final class Gift: Sendable {
        private let output: Mutex<AccessLogOutput?>

        init(output: consuming sending Mutex<AccessLogOutput?>) { self.output = output }

        func take() -> AccessLogOutput? { output.withLock { $0.take() } }
    }
}
