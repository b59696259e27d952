import Logging
import SVID
import Settings
import System

/// Reloads changed settings and files.
extension Proxy {
    /// Reloads the files when due, and applies them unless they are flawed.
    func reloadIfDue(now: Int64) {
        guard let outcome = source?.readIfDue(now: now) else { return }
        let isApplied = outcome.change.map { apply($0, because: .files) } ?? renewLostSockets()
        report(outcome, isApplied: isApplied)
        source?.files.looked(isSound: outcome.settingsAreSound && outcome.identityIsSound && isApplied)
    }

    /// Reauthorizes every peer once a required CRL has expired; returns the seconds until the next expiry.
    func checkRevocation(now: Int64) -> Int64? {
        guard let revocation = source?.reload.state.material?.revocation else { return nil }
        if let end = revocationEnd, now > end {
            logger.error("a required CRL has expired: renew it")
            applyAgain()
        }
        revocationEnd = revocation.nextExpiry(after: now)
        return revocationEnd.map { $0 - now + 1 }
    }

    /// Makes Unix sockets anew whose files were removed; false if that fails.
    private func renewLostSockets() -> Bool {
        guard let source, !installer.listeners.areReachable else { return true }
        guard apply(source.reload.state, because: .files) else { return false }
        logger.warning("the file of a Unix socket was not where it was made: the socket was made anew")
        return true
    }

    private func report(_ outcome: ReloadState.Outcome, isApplied: Bool) {
        figures.settingsAreSound = outcome.settingsAreSound && isApplied
        // An identity that is not in files is reported where it comes in.
        if workload == nil { figures.identityIsSound = outcome.identityIsSound }
        let errors = outcome.unreported.filter { $0.severity == .error }
        if !errors.isEmpty {
            if outcome.settingsAreSound { figures.identityFailures += 1 } else { figures.settingsFailures += 1 }
        }
        let isPartial = outcome.settingsAreSound && outcome.svidIsSound
        let effect = isPartial ? "not taken, and all else is" : "reload refused, the old state stays"
        for flaw in outcome.unreported {
            switch flaw.severity {
            case .error: logger.error("\(effect): \(flaw)")
            case .warning: logger.warning("\(flaw)")
            }
        }
        for flaw in outcome.mended { logger.notice("mended: \(flaw)") }
    }
}
