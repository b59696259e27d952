import DataPlane
import EventLoop
import Logging
import SVID
import Settings
import System
import Telemetry

/// The one place where something else is served by: it installs, fails, reports and counts.
extension Proxy {
    /// Which source asks for another state.
    enum Cause {
        /// The settings file, or a file that it names.
        case files
        case workloadAPI
        /// What is in use has become wrong by itself: a bundle of a further trust domain, or a CRL that is too old.
        case outdated
    }

    /// Serves by `state` and the bundles of further trust domains from now on; false where that cannot be done: then
    /// what is in use stays.
    func apply(_ state: DesiredState, because cause: Cause) -> Bool {
        var next = state
        next.bundles = federation?.bundles(for: next.settings.federation) ?? []
        let difference = StateDifference(from: installer.state, to: next, started: installer.started)
        do throws(ProxyFault) {
            try installer.install(next)
        } catch {
            reportFailure(error, cause)
            return false
        }
        for (worker, update) in zip(workers, installer.updates) { worker.mailbox.post(.install(update)) }
        installAgainAt = nil
        source?.adopt(next)
        federation?.serve(next.settings.federation)
        workload?.serve(next.settings.identity)
        reportSuccess(next, difference)
        return true
    }

    /// Installs what is in use anew, because what it rests on has changed; tries once a second until that succeeds, for
    /// what is in use until then may be wrong.
    func applyAgain() {
        guard let source else { return }
        if !apply(source.reload.state, because: .outdated) {
            installAgainAt = MonotonicClock.milliseconds() + Self.installRetryMilliseconds
        }
    }

    /// Does that once it is due; returns the milliseconds until then.
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
        case .outdated: logger.critical("\(fault)")
        }
    }

    private static var installRetryMilliseconds: Int64 { 1_000 }
}
