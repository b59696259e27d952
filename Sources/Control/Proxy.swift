import DataPlane
import EventLoop
import Glibc
public import Logging
public import Settings
import TLS
import Telemetry

/// One running proxy: listeners, workers, access log and admin endpoint. Belongs to the control thread.
///
/// `ControlLoop.next()` says what happened, `handle(_:)` acts on it; several proxies may share a loop.
public final class Proxy {
    /// What an event meant for the proxy as a whole.
    public enum News: Hashable, Sendable {
        case nothing
        /// Every listener accepts.
        case ready
        case ended(ProxyEnd)
    }

    /// The bound address of each listener, in the order of the settings.
    public let addresses: [Endpoint]
    public let adminPort: UInt16?

    private let logger: Logger
    private let reports: WorkerReports
    private let accessLog: AccessLogWriter?
    private let admin: AdminServer?
    private let workers: [WorkerThread]
    private let notAfter: Int64
    private var lifecycle: ProxyLifecycle
    /// Why the proxy's own SVID is good no more.
    private var expiry: String?

    /// Binds everything, then starts the workers; `handle(_:)` says `ready` once all of them accept.
    public init(_ ready: CheckedSettings.Ready, on loop: ControlLoop, logger: Logger) throws(ProxyFault) {
        let settings = ready.settings
        let count = settings.workers ?? CPUQuota.workers()
        let plan = ProxyPlan(settings: settings, material: ready.material, workers: count)
        self.logger = logger
        lifecycle = ProxyLifecycle(workerCount: count)
        notAfter = ready.material.notAfter
        let bound = try BoundListeners(settings.listeners, workers: count)
        addresses = bound.addresses.map(\.endpoint)
        let admin = try Self.admin(settings.admin, on: loop, lifecycle.readiness)
        self.admin = admin
        adminPort = admin?.port
        let reports: WorkerReports
        do throws(ControlFault) {
            reports = try WorkerReports()
            accessLog = try Self.accessLog(settings.accessLog, workers: count, logger)
            try loop.watch(eventDescriptor: reports.wake.number)
        } catch {
            throw .control(error)
        }
        self.reports = reports
        let feeds = accessLog?.feeds
        let socketAddresses = bound.addresses
        workers = bound.handOver().enumerated().map { index, descriptors in
            WorkerThread.run(
                WorkerStart(
                    index: index, plan: plan, descriptors: descriptors, addresses: socketAddresses,
                    choice: settings.eventLoop.request, feed: feeds?[index])
            ) { reports.post($0) }
        }
        for (listener, address) in zip(settings.listeners, addresses) {
            logger.info(
                "listening",
                metadata: [
                    "listener": "\(listener.name)", "mode": "\(listener.mode.rawValue)", "address": "\(address)",
                ])
        }
        if let adminPort { logger.info("admin endpoint is open", metadata: ["port": "\(adminPort)"]) }
    }

    /// Acts on an event of the loop; events of others are nothing.
    public func handle(_ event: ControlEvent) -> News {
        switch event {
        case .signalled(reports.wake.number):
            // Every report is acted on; the end, which comes last, is the news.
            return reports.take().map(handle).last { $0 != .nothing } ?? .nothing
        case .terminate: return act(lifecycle.terminationAsked())
        case .reopenLogs:
            accessLog?.reopen()
            return .nothing
        case .signalled, .childChanged: return .nothing
        }
    }

    /// Tells `/readyz` that the proxy's own SVID is over, once it is. Returns the seconds until then, if it is not.
    public func checkValidity(now: Int64) -> Int64? {
        guard now > notAfter else { return notAfter - now + 1 }
        let reason = "the SVID was valid until \(CivilTime.rfc3339(unixSeconds: notAfter))"
        expiry = reason
        publishReadiness()
        logger.error("\(reason)")
        return nil
    }

    /// Drains, as at the first SIGTERM; cuts when it drains already.
    public func terminate() -> News { act(lifecycle.terminationAsked()) }

    private func handle(_ event: WorkerEvent) -> News {
        switch event {
        case .serving(let worker, let backend, let because):
            logger.info(
                "worker serves",
                metadata: [
                    "worker": "\(worker)", "eventLoop": "\(backend.rawValue)", "because": "\(because)",
                ])
            return act(lifecycle.workerServes(worker))
        case .acceptingPaused(let worker, let reason):
            logger.warning("accepting pauses", metadata: ["worker": "\(worker)", "reason": "\(reason)"])
            return .nothing
        case .finished(let worker, let cut):
            logger.debug("worker finished", metadata: ["worker": "\(worker)", "cut": "\(cut)"])
            return act(lifecycle.workerFinished(worker, cut: cut))
        case .failed(let worker, let reason):
            logger.critical("worker failed", metadata: ["worker": "\(worker)", "reason": "\(reason)"])
            return act(lifecycle.workerFailed(worker, reason: reason))
        }
    }

    private func act(_ action: ProxyLifecycle.Action) -> News {
        publishReadiness()
        switch action {
        case .nothing: return .nothing
        case .announceReady:
            logger.notice("ready", metadata: ["workers": "\(workers.count)"])
            return .ready
        case .drain:
            logger.notice("draining", metadata: ["connections": "\(openConnections)"])
            for worker in workers { worker.mailbox.post(.drain) }
            return .nothing
        case .cut:
            logger.warning("cutting", metadata: ["connections": "\(openConnections)"])
            for worker in workers { worker.mailbox.post(.cut) }
            return .nothing
        case .end(let end):
            if let accessLog, !accessLog.stop(withinMilliseconds: Self.accessLogFlushMilliseconds) {
                logger.warning("access log: its reader stands still; the last records are lost")
            }
            logger.notice("stopped", metadata: ["end": "\(end)"])
            return .ended(end)
        }
    }

    private func publishReadiness() {
        let readiness = lifecycle.readiness
        if readiness == .ready, let expiry {
            admin?.readiness = .notReady(reason: expiry)
        } else {
            admin?.readiness = readiness
        }
    }

    private var openConnections: Int { workers.reduce(0) { $0 + $1.status.activeConnections } }

    private static func accessLog(
        _ choice: AccessLogChoice, workers: Int, _ logger: Logger
    ) throws(ControlFault) -> AccessLogWriter? {
        let destination: AccessLogDestination
        switch choice {
        case .off: return nil
        case .standardOutput: destination = .standardOutput
        case .standardError: destination = .standardError
        case .file(let path): destination = .file(path: path.value)
        }
        return try AccessLogWriter(destination, workers: workers, logger: logger)
    }

    private static func admin(
        _ settings: AdminSettings?, on loop: ControlLoop, _ readiness: Readiness
    ) throws(ProxyFault) -> AdminServer? {
        guard let bind = settings?.bind else { return nil }
        do throws(ControlFault) {
            return try AdminServer(
                on: loop, address: bind.value.address, port: bind.value.port, readiness: readiness)
        } catch {
            throw .bind(SettingsFlaw(.error, at: bind.position, "\(error)"))
        }
    }

    private static let accessLogFlushMilliseconds: Int32 = 2_000
}

extension EventLoopChoice {
    fileprivate var request: EventLoopRequest {
        switch self {
        case .auto: .automatic
        case .ioURing: .ioURing
        case .epoll: .epoll
        }
    }
}
