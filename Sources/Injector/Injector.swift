package import Control
package import Kubernetes
package import Logging
package import Settings
import System
import TLS

/// The mutating webhook: a server for reviews, an admin endpoint, and the certificate of the one. Belongs to the
/// control thread.
package final class Injector {
    package struct Options {
        package var listen: Endpoint
        /// Of `/livez`, `/readyz` and `/metrics`, in plaintext.
        package var adminListen: Endpoint
        package var certificate: CertificateOrigin
        /// The names by which the API server calls the webhook.
        package var hosts: [String]
        /// Whose certificates may send reviews, by common name; nil: anyone who is let in.
        package var clients: Set<String>?
        package var threads: Int
        package var drainDelayMilliseconds: Int
        package var drainTimeoutMilliseconds: Int

        package init(
            listen: Endpoint, adminListen: Endpoint, certificate: CertificateOrigin, hosts: [String],
            clients: Set<String>?, threads: Int, drainDelayMilliseconds: Int, drainTimeoutMilliseconds: Int
        ) {
            self.listen = listen
            self.adminListen = adminListen
            self.certificate = certificate
            self.hosts = hosts
            self.clients = clients
            self.threads = threads
            self.drainDelayMilliseconds = drainDelayMilliseconds
            self.drainTimeoutMilliseconds = drainTimeoutMilliseconds
        }
    }

    /// The bound ports.
    package var port: UInt16 { server.port }
    package var adminPort: UInt16 { admin.port ?? 0 }

    private let logger: Logger
    private let server: ReviewServer
    private let admin: AdminServer
    private var reading: CertificateReading
    private let source: any CertificateSource
    private var lifecycle: InjectorLifecycle
    private var figures = InjectorFigures()
    private var warnings = WarningAllowance()

    /// Nil if the order to end came before there was a certificate.
    ///
    /// - Parameter injection: what pods get.
    package static func start(
        _ options: Options, injection: Injection, on loop: ControlLoop, logger: Logger
    ) throws(InjectorFault) -> Injector? {
        let admin: AdminServer
        do throws(ControlFault) {
            // Before there is a certificate: the kubelet asks whether this lives.
            admin = try AdminServer(
                on: loop, address: options.adminListen.address, port: options.adminListen.port,
                readiness: .notReady(reason: "there is no certificate yet"))
        } catch {
            throw .control(error)
        }
        let begun = try options.certificate.begin(hosts: options.hosts, on: loop, logger: logger)
        guard let (reading, source) = begun else { return nil }
        return try Injector(options, reading, source, admin, injection: injection, on: loop, logger: logger)
    }

    private init(
        _ options: Options, _ reading: CertificateReading, _ source: any CertificateSource, _ admin: AdminServer,
        injection: Injection, on loop: ControlLoop, logger: Logger
    ) throws(InjectorFault) {
        self.logger = logger
        self.reading = reading
        self.source = source
        self.admin = admin
        lifecycle = InjectorLifecycle(
            delayMilliseconds: Int64(options.drainDelayMilliseconds),
            timeoutMilliseconds: Int64(options.drainTimeoutMilliseconds))
        let context = try InjectorFault.translating { () throws(CertificateFlaw) in try reading.context() }
        do throws(ControlFault) {
            let queue = try ReviewQueue(threads: options.threads, injection: injection)
            server = try ReviewServer(on: loop, AdminSocket(options.listen), context: context, queue: queue)
        } catch {
            throw .control(error)
        }
        admin.readiness = .ready
        server.clients = options.clients
        server.report = { [unowned self] in report($0) }
        admin.metrics = { [unowned self] text in
            figures.write(
                InjectorFigures.State(
                    connections: server.connectionCount, cut: server.cutCount,
                    certificateNotAfter: reading.certificate.notAfter), to: &text)
        }
    }

    /// Does what is due; returns how long there is nothing to do.
    package func tick() -> (timeoutMilliseconds: Int, end: InjectorEnd?) {
        reloadIfDue()
        let now = MonotonicClock.milliseconds()
        let end = perform(lifecycle.tick(now: now, busy: server.busyCount))
        updateReadiness()
        let timeouts = [
            lifecycle.millisecondsUntilTick(now: now), source.millisecondsUntilDue, Self.readinessMilliseconds,
        ]
        return (timeouts.compactMap(\.self).min() ?? 0, end)
    }

    package func handle(_ event: ControlEvent) -> InjectorEnd? {
        switch event {
        case .terminate:
            let action = lifecycle.terminationAsked(now: MonotonicClock.milliseconds(), busy: server.busyCount)
            return perform(action)
        case .hangup: source.reloadAsked()
        case .filesChanged(let descriptor): source.filesChanged(descriptor)
        default: break
        }
        return nil
    }

    // MARK: Private

    private func perform(_ action: InjectorLifecycle.Action) -> InjectorEnd? {
        switch action {
        case .nothing: break
        case .announceDrain:
            logger.notice("draining")
            server.isEnding = true
            updateReadiness()
        case .close: server.close()
        case .end(let end):
            logger.notice("ended", metadata: ["outcome": "\(end)"])
            return end
        }
        return nil
    }

    private func updateReadiness() {
        var readiness = lifecycle.readiness
        // The API server refuses it: another replica may have a better one.
        if readiness == .ready, reading.certificate.notAfter < WallClock.seconds() {
            readiness = .notReady(reason: "the certificate has expired")
        }
        server.readiness = readiness
        admin.readiness = readiness
    }

    private func reloadIfDue() {
        guard let result = source.takeNext(now: WallClock.seconds()) else { return }
        do throws(CertificateFlaw) {
            let fresh = try result.get()
            if !fresh.isSame(as: reading) {
                server.context = try fresh.context()
                reading = fresh
                figures.certificateReloads += 1
                logger.notice(
                    "the certificate is replaced",
                    metadata: ["notAfter": .stringConvertible(fresh.certificate.notAfter)])
            }
            figures.certificateIsSound = true
        } catch {
            figures.certificateFailures += 1
            if figures.certificateIsSound {
                logger.error("the certificate is kept as it is: \(error)")
            }
            figures.certificateIsSound = false
        }
    }

    private func report(_ report: ReviewReport) {
        switch report.outcome {
        case .refused(let reply):
            figures.countRefusal(status: reply.status)
            warn("request refused", ["status": .stringConvertible(reply.status), "reason": "\(reply.text)"])
        case .review(let outcome):
            figures.count(outcome, nanoseconds: report.nanoseconds)
            log(outcome, nanoseconds: report.nanoseconds)
        }
    }

    private func log(_ outcome: ReviewQueue.Outcome, nanoseconds: Int64) {
        switch outcome {
        case .malformed(let fault): warn("review refused", ["result": "malformed", "reason": "\(fault)"])
        case .late: warn("review refused", ["result": "late"])
        case .answered(let answer):
            let subject = answer.subject
            var metadata: Logger.Metadata = [
                "uid": "\(subject.uid)", "namespace": "\(subject.namespace)", "name": "\(subject.name)",
                "operation": "\(subject.operation)", "dryRun": "\(subject.isDryRun)",
                "microseconds": .stringConvertible(nanoseconds / 1_000),
            ]
            switch answer.outcome {
            case .injected: logger.info("injected", metadata: metadata)
            case .denied(let reason):
                metadata["reason"] = "\(reason)"
                logger.info("denied", metadata: metadata)
            case .skipped(let skip):
                metadata["reason"] = "\(skip)"
                logger.debug("skipped", metadata: metadata)
            }
        }
    }

    private func warn(_ message: Logger.Message, _ metadata: Logger.Metadata) {
        guard let suppressed = warnings.take(now: MonotonicClock.milliseconds()) else { return }
        var metadata = metadata
        if suppressed > 0 { metadata["suppressed"] = .stringConvertible(suppressed) }
        logger.warning(message, metadata: metadata)
    }

    /// How often the certificate's expiry is looked at.
    private static let readinessMilliseconds = 1_000
}

/// Why the injector does not start.
package enum InjectorFault: Error, Sendable, CustomStringConvertible {
    case certificate(CertificateFlaw)
    case control(ControlFault)

    package var description: String {
        switch self {
        case .certificate(let flaw): flaw.description
        case .control(let fault): fault.description
        }
    }

    static func translating<Value>(
        _ body: () throws(CertificateFlaw) -> Value
    ) throws(InjectorFault) -> Value {
        do throws(CertificateFlaw) { return try body() } catch { throw .certificate(error) }
    }
}

/// Which of the warnings that anyone can cause are logged: a few a second. Pure.
struct WarningAllowance {
    private var second: Int64 = -1
    private var taken = 0
    private var suppressed = 0

    /// The number of warnings that were suppressed before this one; nil if this one is.
    ///
    /// - Parameter now: monotonic milliseconds.
    mutating func take(now: Int64) -> Int? {
        if now / 1_000 != second { (second, taken) = (now / 1_000, 0) }
        taken += 1
        guard taken <= Self.perSecond else {
            suppressed += 1
            return nil
        }
        defer { suppressed = 0 }
        return suppressed
    }

    private static let perSecond = 5
}

extension CertificateReading {
    fileprivate func context() throws(CertificateFlaw) -> WebServerContext {
        try certificate.context(clientAuthorities: clientAuthorities)
    }
}
