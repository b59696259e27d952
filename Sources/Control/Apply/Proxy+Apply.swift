import DataPlane
import EventLoop
import Logging
import SVID
import Settings
import System
import Telemetry

/// The only place that applies a new state: installs it, reports failures and counts.
extension Proxy {
    /// The source of a new state.
    enum Cause {
        /// The settings file, or a file that it names.
        case files
        case workloadAPI
        /// The state in use has expired or changed: a federated bundle, or a CRL past its nextUpdate.
        case outdated
        /// The addresses of a name have changed.
        case names
    }

    /// Applies `state` and the federated bundles; on failure returns false and keeps the state in use.
    func apply(_ state: DesiredState, because cause: Cause) -> Bool {
        var next = state
        next.bundles = federation?.bundles(for: next.settings.federation) ?? []
        if next.settings != installer.state.settings {
            // Those in use stay known until the others are.
            resolver.serve(next.settings, installer.state.settings)
            resolver.settle(withinMilliseconds: Self.namePatienceMilliseconds)
        }
        next.names = resolver.names
        let difference = StateDifference(from: installer.state, to: next, started: installer.started)
        do throws(ProxyFault) {
            try installer.install(next)
        } catch {
            resolver.serve(installer.state.settings)
            reportFailure(error, cause)
            return false
        }
        for (worker, update) in zip(workers, installer.updates) { worker.mailbox.post(.install(update)) }
        resolver.serve(next.settings)
        installAgainAt = nil
        endpointBoard.adopt(next)
        checks.serve(next, installer.updates.first)
        source?.adopt(next)
        markControlSockets(next.settings)
        federation?.serve(next.settings.federation)
        workload?.serve(next.settings.identity)
        // The resolver has said so.
        if cause != .names { reportSuccess(next, difference) }
        return true
    }

    /// Reinstalls the state in use because its bundles or CRLs changed. Retries every second until it succeeds, because
    /// the installed state may be wrong until then.
    func applyAgain() {
        guard let source else { return }
        if !apply(source.reload.state, because: .outdated) { retryInstall() }
    }

    /// Has the state in use installed again after a while.
    func retryInstall() { installAgainAt = MonotonicClock.milliseconds() + Self.installRetryMilliseconds }

    /// Marks what the control thread dials from now on, as the workers mark what they do.
    func markControlSockets(_ settings: Settings) {
        let mark = UInt32(clamping: settings.mark ?? 0)
        federation?.mark = mark
        workload?.mark = mark
        resolver.mark = mark
        checks.mark = mark
    }

    /// Retries a failed install when due; returns the milliseconds until then.
    func applyIfDue() -> Int? {
        if let at = installAgainAt, MonotonicClock.milliseconds() >= at { applyAgain() }
        return installAgainAt.map { Int(max(0, $0 - MonotonicClock.milliseconds())) }
    }

    // MARK: Private

    private func reportSuccess(_ state: DesiredState, _ difference: StateDifference) {
        figures.reloads += 1
        var metadata: Logger.Metadata = ["id": "none"]
        if let material = state.material {
            metadata = ["id": "\(material.id)", "notAfter": "\(CivilTime.rfc3339(unixSeconds: material.notAfter))"]
        }
        metadata["changed"] = "\(difference.parts.map(\.rawValue).joined(separator: ", "))"
        logger.notice("reloaded", metadata: metadata)
        guard difference.keysForNextStart != waitingKeys else { return }
        waitingKeys = difference.keysForNextStart
        guard !waitingKeys.isEmpty else { return }
        logger.warning(
            "some settings take effect at the next start",
            metadata: ["settings": "\(difference.keysForNextStart.joined(separator: ", "))"])
    }

    private func reportFailure(_ fault: ProxyFault, _ cause: Cause) {
        switch cause {
        case .files:
            figures.settingsAreSound = false
            // The files are read again and again until they are good.
            guard let flaw = source?.reload.firstReport(of: fault) else { return }
            figures.settingsFailures += 1
            logger.error("reload refused, the old state stays: \(flaw)")
        case .workloadAPI:
            figures.identityFailures += 1
            figures.identityIsSound = false
            logger.error("\(fault)")
        case .outdated, .names: logger.critical("\(fault)")
        }
    }

    private static var installRetryMilliseconds: Int64 { 1_000 }
}
