public import ApplicationHealth
import DataPlane
import EventLoop
import Glibc
public import Logging
public import Policy
import Settings
public import System
import TLS
import Telemetry
import SVID

/// One running proxy: listeners, workers, access log and admin endpoint. Belongs to the control thread.
///
/// Pass each event of `ControlLoop.next()` to `handle(_:)`; several proxies may share a loop.
public final class Proxy {
    /// The effect of an event on the proxy's lifecycle.
    public enum News: Hashable, Sendable {
        case nothing
        /// Every listener is accepting.
        case ready
        case ended(ProxyEnd)
    }

    /// The bound address of each listener, in the order of the settings.
    public var addresses: [String] { installer.listeners.sockets.map(\.address.text) }
    public let adminPort: UInt16?

    let logger: Logger
    let workers: [WorkerThread]
    let installer: Installer
    /// The source of the settings; nil if they are never reloaded.
    var source: SettingsSource?
    /// The flaws of the Workload API's latest identity.
    var offerFlaws: [IdentityFlaw] = []
    /// Nil if the identity is in files.
    let workload: WorkloadClient?
    /// Nil if the settings do not come from a file.
    let federation: FederationClient?
    /// Nil while there is no SVID.
    var notAfter: Int64? { installer.state.material?.notAfter }
    let resolver: NameResolver
    let checks: EndpointChecks
    var endpointBoard = EndpointBoard()
    private var isAnnounced = false
    /// Why the proxy's own SVID is no longer valid.
    private var expiry: String?
    /// When to retry a failed install, in monotonic milliseconds.
    var installAgainAt: Int64?
    var figures = ReloadFigures()
    /// Of the workers that serve.
    var eventLoops: Set<String> = []
    /// Of the program, for `postern_build_info`.
    public var version = ""
    /// Settings that wait for the next start, as they were reported last.
    var waitingKeys: [String] = []
    /// When the next of the required lists of revoked certificates becomes too old, in Unix seconds.
    var revocationEnd: Int64?
    private let reports: WorkerReports
    let accessLog: AccessLogWriter?
    private let admin: AdminServer?
    private let health: HealthChecks?
    private var lifecycle: ProxyLifecycle

    /// Binds everything, then starts the workers; `handle(_:)` returns `ready` once all of them accept.
    ///
    /// - Parameters:
    ///   - path: the settings file, if it and the files it names are to be watched.
    ///   - drainTimes: those of the command line.
    ///   - probes: of the application, which the admin endpoint answers.
    ///   - podAddresses: where the application may listen, beside loopback.
    ///   - inherited: listening sockets of the service manager; each must be for a listener.
    public init(
        _ ready: CheckedSettings.Ready, watching path: String? = nil, drainTimes: DrainTimes = DrainTimes(),
        probes: ProbeList? = nil, podAddresses: [IPAddress] = [], inherited: InheritedDescriptors = .none,
        on loop: ControlLoop, logger: Logger
    ) throws(ProxyFault) {
        let settings = ready.settings
        let resolver = NameResolver(on: loop, logger: logger)
        resolver.mark = UInt32(clamping: settings.mark ?? 0)
        resolver.serve(settings)
        // What takes longer is served once it is known: a name that is not found hinders no start.
        resolver.settle(withinMilliseconds: Self.namePatienceMilliseconds)
        _ = resolver.takeChange()
        self.resolver = resolver
        var state = ready.state
        state.names = resolver.names
        let installer = try Installer(state, drainTimes, inherited: inherited)
        checks = EndpointChecks(on: loop)
        checks.serve(state, installer.updates.first)
        self.installer = installer
        let count = installer.workerCount
        self.logger = logger
        lifecycle = ProxyLifecycle(workerCount: count)
        let admin: AdminServer?
        let reports: WorkerReports
        do throws(ProxyFault) {
            admin = try Self.admin(settings.admin, ready.sources, on: loop, lifecycle.readiness)
        } catch {
            installer.abandon()
            throw error
        }
        self.admin = admin
        adminPort = admin?.port
        if let bind = settings.admin?.bind, let port = admin?.port {
            installer.ownSockets.setAdmin(SocketAddress(Endpoint(address: bind.address, port: port)))
        }
        do throws(ControlFault) {
            reports = try WorkerReports()
            health = if let probes { try HealthChecks(probes, addresses: podAddresses, on: loop) } else { nil }
            accessLog = try Self.accessLog(settings.accessLog, workers: count, logger)
            try loop.watch(eventDescriptor: reports.wake.number)
            if let path { source = try SettingsSource(ready, path: path, on: loop) }
            federation = path == nil ? nil : try FederationClient(settings.federation, on: loop, logger: logger)
            if case .workloadAPI(let identity) = settings.identity {
                workload = WorkloadClient(identity, on: loop, logger: logger)
            } else {
                workload = nil
            }
        } catch {
            installer.abandon()
            throw .control(error)
        }
        self.reports = reports
        figures.identityIsSound = !ready.warnings.contains { $0.severity == .error }
        let feeds = accessLog?.feeds
        workers = installer.updates.enumerated().map { index, update in
            WorkerThread.run(
                WorkerStart(index: index, update: update, choice: settings.eventLoop.request, feed: feeds?[index])
            ) { reports.post($0) }
        }
        if let connections = installer.connectionsByMemory {
            logger.info(
                "limits.memory has room for fewer connections than limits.connections allows",
                metadata: [
                    "connections": .stringConvertible(connections * count),
                    "memoryMiB": .stringConvertible(installer.memoryBytes >> 20),
                ])
        }
        logListeners(settings.listeners)
        if let adminPort { logger.info("admin endpoint is open", metadata: ["port": .stringConvertible(adminPort)]) }
        if let socket = settings.admin?.socket {
            logger.info("admin endpoint is open", metadata: ["socket": "\(socket.address)"])
        }
        markControlSockets(settings)
        admin?.metrics = { [weak self] in self?.writeMetrics(to: &$0) }
        admin?.details = { [weak self] in self?.endpointText ?? "" }
        admin?.health = health
        admin?.change = { [weak self] change in
            guard let self else { return }
            self.logger.notice("the end was asked for", metadata: ["by": "\(change == .drain ? "/drain" : "/quit")"])
            // A drain is no end yet.
            _ = self.act(self.lifecycle.drainAsked(delay: change == .drain))
        }
    }

    /// Handles an event of the loop; returns `nothing` for those of other proxies.
    public func handle(_ event: ControlEvent) -> News {
        switch event {
        case .signalled(reports.wake.number):
            // Handles every report and returns the last effect, because the end comes last.
            return reports.take().map(handle).last { $0 != .nothing } ?? .nothing
        case .terminate: return act(lifecycle.terminationAsked(now: MonotonicClock.milliseconds()))
        case .hangup:
            logger.info("reopening the access log and reloading the settings and the files they name")
            accessLog?.reopen()
            source?.files.readAsked()
            renewAdminSocket()
            return .nothing
        case .filesChanged(let descriptor):
            source?.files.filesChanged(descriptor)
            return .nothing
        case .identityChanged: return takeIdentity()
        case .signalled(let descriptor):
            if descriptor == federation?.wakeDescriptor { takeBundles() }
            if descriptor == health?.wakeDescriptor { health?.takeResults() }
            return .nothing
        case .childChanged, .namesLookedUp, .endpointChecked: return .nothing
        }
    }

    /// Handles due timers; returns the milliseconds until the next one may be due, nil if there is none.
    ///
    /// - Parameter now: Unix seconds.
    public func tick(now: Int64) -> Int? {
        reloadIfDue(now: now)
        var waits: [Int] = []
        if let wait = workload?.tick() { waits.append(wait) }
        if let wait = pollBundles() { waits.append(wait) }
        if let wait = lookUpNames() { waits.append(wait) }
        if let wait = checkEndpoints() { waits.append(wait) }
        if let wait = applyIfDue() { waits.append(wait) }
        // Bounded, because the wall clock may be set meanwhile.
        if let seconds = checkValidity(now: now) { waits.append(Int(min(seconds, 60)) * 1_000) }
        if let seconds = checkRevocation(now: now) { waits.append(Int(min(seconds, 60)) * 1_000) }
        if let source { waits.append(source.files.millisecondsUntilDue) }
        return waits.min()
    }

    /// Makes `/readyz` report the proxy's own SVID once expired. Returns the seconds until then, nil afterwards.
    public func checkValidity(now: Int64) -> Int64? {
        guard let notAfter else { return nil }
        guard now > notAfter else {
            if expiry != nil {
                expiry = nil
                publishReadiness()
            }
            return notAfter - now + 1
        }
        guard expiry == nil else { return nil }
        let reason = "the SVID was valid until \(CivilTime.rfc3339(unixSeconds: notAfter))"
        expiry = reason
        publishReadiness()
        logger.error("\(reason)")
        return nil
    }

    /// Drains, as on the first SIGTERM; cuts if that was more than a second ago.
    public func terminate() -> News { act(lifecycle.terminationAsked(now: MonotonicClock.milliseconds())) }

    func logListeners(_ settings: [ListenerSettings]) {
        for (listener, socket) in zip(settings, installer.listeners.sockets) {
            var metadata: Logger.Metadata = [
                "listener": "\(listener.name)", "mode": "\(listener.mode.rawValue)",
                "address": "\(socket.address.text)",
            ]
            if socket.queue == .inherited { metadata["inherited"] = "true" }
            if listener.transparency != .off { metadata["transparent"] = "\(listener.transparency.rawValue)" }
            logger.info("listening", metadata: metadata)
        }
    }

    var acceptedConnections: UInt64 { workers.reduce(0) { $0 + $1.status.acceptedConnections } }
    var passedConnections: UInt64 { workers.reduce(0) { $0 + $1.status.passedConnections } }
    var loops: UInt64 { workers.reduce(0) { $0 + $1.status.loops } }
    private var openConnectionsByWorker: [Int] { workers.map(\.status.activeConnections) }
    var openConnections: Int { workers.reduce(0) { $0 + $1.status.activeConnections } }

    private func handle(_ event: WorkerEvent) -> News {
        switch event {
        case .serving(let worker, let backend, let because):
            eventLoops.insert(backend.rawValue)
            logger.info(
                "worker serves",
                metadata: [
                    "worker": .stringConvertible(worker), "eventLoop": "\(backend.rawValue)", "because": "\(because)",
                ])
            return act(lifecycle.workerServes(worker))
        case .acceptingPaused(let worker, let reason):
            logger.warning("accepting pauses", metadata: ["worker": .stringConvertible(worker), "reason": "\(reason)"])
            return .nothing
        case .endpoint(let worker, let report):
            take(report, worker: worker)
            return .nothing
        case .idle(let worker): return act(lifecycle.workerIsIdle(worker, open: openConnectionsByWorker))
        case .finished(let worker, let cut):
            logger.debug(
                "worker finished", metadata: ["worker": .stringConvertible(worker), "cut": .stringConvertible(cut)])
            return act(lifecycle.workerFinished(worker, cut: cut))
        case .failed(let worker, let reason):
            logger.critical("worker failed", metadata: ["worker": .stringConvertible(worker), "reason": "\(reason)"])
            let end = act(lifecycle.workerFailed(worker, reason: reason))
            guard end == .nothing else { return end }
            return act(lifecycle.afterIdle(open: openConnectionsByWorker))
        }
    }

    private func act(_ action: ProxyLifecycle.Action) -> News {
        publishReadiness()
        switch action {
        case .nothing: return .nothing
        case .announceReady: return announce()
        case .drain, .stopInbound:
            logger.notice("draining", metadata: ["connections": .stringConvertible(openConnections)])
            for worker in workers { worker.mailbox.post(action == .drain ? .drain : .stopInbound) }
            return .nothing
        case .stopOutbound:
            installer.listeners.removeFiles()
            for worker in workers { worker.mailbox.post(.stopOutbound) }
            return .nothing
        case .cut:
            logger.warning("cutting", metadata: ["connections": .stringConvertible(openConnections)])
            installer.listeners.removeFiles()
            for worker in workers { worker.mailbox.post(.cut) }
            return .nothing
        case .end(let end):
            installer.listeners.removeFiles()
            admin?.removeFiles()
            if let accessLog, !accessLog.stop(withinMilliseconds: Self.accessLogFlushMilliseconds) {
                logger.warning("access log: the reader stalled; the last records are lost")
            }
            logger.notice("stopped", metadata: ["end": "\(end)"])
            return .ended(end)
        }
    }

    /// Logs once that connections are served, which takes workers and an SVID.
    func announce() -> News {
        publishReadiness()
        guard !isAnnounced, lifecycle.readiness == .ready, notAfter != nil else { return .nothing }
        isAnnounced = true
        logger.notice("ready", metadata: ["workers": .stringConvertible(workers.count)])
        return .ready
    }

    private func publishReadiness() {
        let readiness = lifecycle.readiness
        if readiness == .ready, notAfter == nil {
            admin?.readiness = .notReady(reason: workload?.waitsFor ?? "no SVID")
        } else if readiness == .ready, let expiry {
            admin?.readiness = .notReady(reason: expiry)
        } else {
            admin?.readiness = readiness
        }
    }

    private static func accessLog(
        _ choice: AccessLogChoice, workers: Int, _ logger: Logger
    ) throws(ControlFault) -> AccessLogWriter? {
        let destination: AccessLogDestination
        switch choice {
        case .off: return nil
        case .standardOutput: destination = .standardOutput
        case .standardError: destination = .standardError
        case .file(let path): destination = .file(path: path)
        }
        return try AccessLogWriter(destination, workers: workers, logger: logger)
    }

    private static func admin(
        _ settings: AdminSettings?, _ sources: SourceMap, on loop: ControlLoop, _ readiness: Readiness
    ) throws(ProxyFault) -> AdminServer? {
        guard let settings else { return nil }
        var sockets: [AdminSocket] = []
        var position = sources.adminBind
        do throws(ControlFault) {
            if let bind = settings.bind { sockets.append(try AdminSocket(bind)) }
            position = sources.adminSocket
            if let socket = settings.socket { sockets.append(try AdminSocket(socket)) }
            let server = try AdminServer(on: loop, sockets, readiness: readiness)
            server.allowsChanges = settings.allowsChanges
            return server
        } catch {
            throw .bind(SettingsFlaw(.error, at: position, "\(error)"))
        }
    }

    /// Makes the Unix socket of the admin endpoint anew if somebody has removed its file.
    private func renewAdminSocket() {
        guard let admin, let settings = installer.started.admin?.socket else { return }
        do throws(ControlFault) {
            if try admin.renewSocket(settings) {
                logger.notice("admin endpoint is open again", metadata: ["socket": "\(settings.address)"])
            }
        } catch {
            logger.error("\(error)")
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
