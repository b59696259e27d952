public import EventLoop
import Synchronization
import System
import TLS
public import Telemetry

/// A command to a worker from another thread.
public enum WorkerCommand: Sendable {
    /// Switch to this update.
    case install(WorkerUpdate)
    /// An endpoint was checked.
    case checked(EndpointCheckResult)
    /// Finish what is open; for a while go on accepting.
    case drain
    /// Drain, without the inbound listeners.
    case stopInbound
    /// Drain, without any listener, and end.
    case stopOutbound
    /// End now.
    case cut
}

/// A worker's report to the control thread.
public enum WorkerEvent: Sendable {
    /// It is accepting. `because` says why this backend was chosen.
    case serving(worker: Int, backend: BackendKind, because: String)
    /// Accepting is paused, for lack of descriptors or the like. Repeated now and then while it lasts.
    case acceptingPaused(worker: Int, reason: String)
    /// An endpoint went out of service there, or returned.
    case endpoint(worker: Int, EndpointReport)
    /// It drains, nothing is open any more, and outbound listeners still accept. Its status says so too.
    case idle(worker: Int)
    /// Its drain is over; `cut` connections had to be aborted.
    case finished(worker: Int, cut: Int)
    /// It cannot continue.
    case failed(worker: Int, reason: String)
}

/// Numbers of a worker that other threads may read at any time.
public final class WorkerStatus: Sendable {
    private let active = Atomic<Int>(0)
    private let accepted = Atomic<UInt64>(0)
    private let passed = Atomic<UInt64>(0)
    private let looped = Atomic<UInt64>(0)
    public let dials = DialCounts()
    public let tally = ConnectionTally()
    /// Of what was published last, on the worker's thread.
    private let published = Atomic<UInt64>(.max)

    public init() {}

    public var activeConnections: Int { active.load(ordering: .relaxed) }
    public var acceptedConnections: UInt64 { accepted.load(ordering: .relaxed) }

    /// Connections relayed without TLS, of those accepted.
    public var passedConnections: UInt64 { passed.load(ordering: .relaxed) }
    /// Connections refused because they came from, or led to, the proxy itself.
    public var loops: UInt64 { looped.load(ordering: .relaxed) }

    func publish(_ worker: inout Worker) {
        if accepted.load(ordering: .relaxed) != worker.acceptedConnections {
            for (listener, count) in worker.takeOpened() { tally.open(count, listener: listener) }
        }
        active.store(worker.activeConnections, ordering: .relaxed)
        accepted.store(worker.acceptedConnections, ordering: .relaxed)
        passed.store(worker.passedConnections, ordering: .relaxed)
        looped.store(worker.loops, ordering: .relaxed)
        // It changes with each connection that is opened or ends, and with nothing else.
        let change = worker.acceptedConnections &<< 32 ^ UInt64(worker.activeConnections)
        guard published.exchange(change, ordering: .relaxed) != change else { return }
        tally.publish(active: worker.activeByListener)
    }
}

/// What a worker's thread starts from.
public struct WorkerStart: Sendable {
    public var index: Int
    public var update: WorkerUpdate
    public var choice: EventLoopRequest
    public var feed: AccessLogFeed?

    public init(
        index: Int, update: WorkerUpdate, choice: EventLoopRequest, feed: AccessLogFeed?
    ) {
        self.index = index
        self.update = update
        self.choice = choice
        self.feed = feed
    }
}

/// A worker on a thread of its own.
public final class WorkerThread: Sendable {
    public let mailbox = Mailbox<WorkerCommand>()
    public let status = WorkerStatus()
    private let index: Int
    private let choice: EventLoopRequest
    private let feed: AccessLogFeed?
    /// Taken by the thread, so that nothing else keeps the first TLS contexts alive.
    private let update: Mutex<WorkerUpdate?>
    private let report: @Sendable (WorkerEvent) -> Void

    /// Starts the thread. Signals must be blocked by the caller, so that the worker never sees one.
    ///
    /// - Parameter report: called on the worker's thread, rarely.
    public static func run(_ start: WorkerStart, report: @escaping @Sendable (WorkerEvent) -> Void) -> WorkerThread {
        let thread = WorkerThread(start, report)
        do throws(ThreadFault) {
            // Detached with the value: its end is reported.
            _ = try PosixThread { thread.body() }
        } catch {
            report(.failed(worker: start.index, reason: "no thread: \(describe(error.errno))"))
        }
        return thread
    }

    private init(_ start: WorkerStart, _ report: @escaping @Sendable (WorkerEvent) -> Void) {
        index = start.index
        choice = start.choice
        feed = start.feed
        update = Mutex(start.update)
        self.report = report
    }

    private func body() {
        do {
            let cut = try serve()
            // Only now that the worker and its TLS objects are destroyed: the process may exit on this report, and
            // OpenSSL's cleanup must not run into them.
            report(.finished(worker: index, cut: cut))
        } catch {
            mailbox.close()
            report(.failed(worker: index, reason: "\(error)"))
        }
    }

    /// Runs a worker from its first accept to the end of its drain, and returns how many connections were aborted.
    private func serve() throws -> Int {
        let update = takeUpdate()
        let opened = try OpenedLoop.open(choice, LoopLimits(memoryBytes: update.limits.memoryBytes))
        let because = opened.because
        let backend = opened.loop.kind
        let wake = opened.loop.wake
        var worker = try Worker(
            update, loop: opened.take(), clock: WallClock.seconds, dialSeed: .random(in: .min ... .max),
            emit: Self.emitter(status.tally, feed))
        worker.dialCounts = status.dials
        worker.handshakeThread = try wake.map { try HandshakeThread(wake: $0) }
        // The thread signals the loop's descriptor and has sessions of the worker's contexts: it ends first.
        defer {
            worker.handshakeThread?.stop()
        }
        if let wake { mailbox.open(wake: wake) }
        report(.serving(worker: index, backend: backend, because: because))
        while !worker.isFinished {
            try worker.step()
            status.publish(&worker)
            if let code = worker.takeAcceptTrouble() {
                report(.acceptingPaused(worker: index, reason: describe(code)))
            }
            for change in worker.takeEndpointReports() { report(.endpoint(worker: index, change)) }
            if worker.takeWake() {
                for command in mailbox.take() {
                    switch command {
                    case .install(let update): worker.install(update)
                    case .checked(let result): worker.take(result)
                    case .drain: worker.drain()
                    case .stopInbound: worker.stopInbound()
                    case .stopOutbound: worker.stopOutbound()
                    case .cut: worker.cutAll()
                    }
                }
            }
            if worker.takeIdle() {
                status.publish(&worker)
                report(.idle(worker: index))
            }
        }
        mailbox.close()
        return worker.cutConnectionCount
    }

    private func takeUpdate() -> WorkerUpdate {
        guard let update = update.withLock({ $0.take() }) else { preconditionFailure("a worker starts once") }
        return update
    }

    /// Counts records, and pushes them into the feed's queue; what does not fit is counted there.
    private static func emitter(_ tally: ConnectionTally, _ feed: AccessLogFeed?) -> (AccessRecord) -> Void {
        { record in
            tally.count(record)
            guard let feed, feed.queue.push(record) == .queuedForSleeper else { return }
            // It lives as long as the log's writer.
            EventCounter.signal(feed.wakeDescriptor)
        }
    }
}
