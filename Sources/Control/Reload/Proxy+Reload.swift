import DataPlane
import EventLoop
import Logging
import Settings
import System
import TLS
import Telemetry

/// Serving by settings and files that change.
extension Proxy {
    /// Looks at the files where that is due, and serves by what they say if nothing in them is flawed.
    func lookIfDue(now: Int64) {
        let monotonic = MonotonicClock.milliseconds()
        guard var source, monotonic >= source.schedule.dueAt else { return }
        var outcome = source.look(now: now)
        if let change = outcome.change {
            do throws(ProxyFault) {
                try install(change, instead: source.configuration.settings)
                source.take(change)
            } catch {
                outcome.settingsAreSound = false
                outcome.news += source.configuration.firstTelling(of: error)
            }
        }
        tell(outcome)
        source.schedule.looked(now: monotonic, isSound: outcome.settingsAreSound && outcome.identityIsSound)
        self.source = source
    }

    /// Asks anew about every peer once a list of revoked certificates that is required has become too old, and returns
    /// the seconds until that may be so.
    func checkRevocation(now: Int64) -> Int64? {
        guard let source else { return nil }
        guard let revocation = source.configuration.material?.revocation else { return nil }
        if let end = revocationEnd, now > end {
            logger.error("a list of revoked certificates that is required has become too old: renew it")
            installAgain()
        }
        revocationEnd = revocation.nextExpiry(after: now)
        return revocationEnd.map { $0 - now + 1 }
    }

    /// Installs what the configuration says although it has not changed, because what it rests on beside it has; tries
    /// once a second until that succeeds, for what is in use until then may be wrong.
    func installAgain() {
        guard let source else { return }
        installAgainAt = nil
        do throws(ProxyFault) {
            try install(source.configuration.current, instead: source.configuration.settings)
        } catch {
            installAgainAt = MonotonicClock.milliseconds() + Self.installRetryMilliseconds
            logger.critical("\(error)")
        }
    }

    /// Does that once it is due; returns the milliseconds until then.
    func installIfDue() -> Int? {
        if let at = installAgainAt, MonotonicClock.milliseconds() >= at { installAgain() }
        return installAgainAt.map { Int(max(0, $0 - MonotonicClock.milliseconds())) }
    }

    private static var installRetryMilliseconds: Int64 { 1_000 }

    // MARK: Private

    func install(_ change: Configuration.Change, instead old: Settings) throws(ProxyFault) {
        let material = change.material?.adding(federation?.bundles ?? [])
        let plan = ProxyPlan(
            settings: change.settings, material: material, workers: workers.count, memoryBytes: memoryBytes,
            connectionsAtMost: connectionsAtMost)
        // A copy: where anything fails, the sockets that are bound stay as they are.
        var listeners = listeners
        let fresh = try listeners.bind(change.settings.listeners)
        let updates = try Self.updates(plan, listeners, fresh, workers: workers.count, after: installed)
        installed = updates
        self.listeners = listeners
        for (worker, update) in zip(workers, updates) { worker.mailbox.post(.install(update)) }
        notAfter = change.material?.notAfter
        federation?.serve(change.settings.federation)
        figures.reloads += 1
        var metadata: Logger.Metadata = ["id": "none"]
        if let material = change.material {
            metadata = [
                "generation": "\(material.generation)", "id": "\(material.id)",
                "notAfter": "\(CivilTime.rfc3339(unixSeconds: material.notAfter))",
            ]
        }
        logger.notice("reloaded", metadata: metadata)
        let waiting = change.settings.keysForNextStart(insteadOf: old)
        if !waiting.isEmpty {
            logger.warning(
                "some settings take effect at the next start",
                metadata: ["settings": "\(waiting.joined(separator: ", "))"])
        }
    }

    private func tell(_ outcome: Configuration.Outcome) {
        figures.settingsAreSound = outcome.settingsAreSound
        figures.identityIsSound = outcome.identityIsSound
        let errors = outcome.news.filter { $0.severity == .error }
        if !errors.isEmpty {
            if outcome.settingsAreSound { figures.identityFailures += 1 } else { figures.settingsFailures += 1 }
        }
        for flaw in outcome.news {
            switch flaw.severity {
            case .error: logger.error("reload refused, the old state stays: \(flaw)")
            case .warning: logger.warning("\(flaw)")
            }
        }
    }
}

extension Settings {
    /// The keys that differ from `old` and are read at the start alone.
    fileprivate func keysForNextStart(insteadOf old: Settings) -> [String] {
        var keys: [String] = []
        if workers != old.workers { keys.append("workers") }
        if eventLoop != old.eventLoop { keys.append("eventLoop") }
        if admin?.bind.value != old.admin?.bind.value { keys.append("admin") }
        if accessLog.destination != old.accessLog.destination { keys.append("accessLog") }
        if log != old.log { keys.append("log") }
        if limits.connections != old.limits.connections { keys.append("limits.connections") }
        if limits.memoryBytes != old.limits.memoryBytes { keys.append("limits.memory") }
        return keys
    }
}

extension AccessLogChoice {
    /// Without the place in the file that names it.
    fileprivate var destination: String {
        switch self {
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .off: "off"
        case .file(let path): "file \(path.value)"
        }
    }
}
