import DataPlane
import Logging
import Settings
import System
import WorkloadAPI
import SVID

/// Serves by the identity from the Workload API.
extension Proxy {
    /// Applies a new identity or a withdrawal; returns `ready` with the first SVID.
    func takeIdentity() -> News {
        while let change = workload?.takeChange() {
            switch change {
            case .use(let offer): use(offer.svid, offer.state)
            case .withdraw(let reason): withdraw(reason)
            }
        }
        return announce()
    }

    private func use(_ svid: WorkloadSVID, _ handedOut: WorkloadState) {
        guard var state = source?.reload.state, case .workloadAPI(let settings) = state.settings.identity else {
            return
        }
        let issued = IssuedIdentity(
            certificates: svid.certificates, privateKey: svid.privateKey, bundles: handedOut.bundles(beside: svid),
            revocationLists: handedOut.revocationLists, revocation: Revocation.Mode(settings.revocation))
        let assembled = IdentityMaterial.assemble(issued, now: WallClock.seconds(), lastGood: state.material)
        report(assembled)
        if let material = assembled.material, material != state.material {
            state.material = material
            guard apply(state, because: .workloadAPI) else { return workload?.offerWasNotInstalled() ?? () }
        }
        // What was left out of it is tried again when the same comes again.
        if assembled.flaws.contains(where: { $0.severity == .error }) { workload?.offerWasRefused() }
    }

    /// Logs each flaw of the Workload API's identity once.
    private func report(_ assembled: AssembledIdentity) {
        let errors = assembled.flaws.filter { $0.severity == .error }
        figures.identityIsSound = errors.isEmpty
        let effect = assembled.material == nil ? "what it hands out is refused, the old identity stays: " : ""
        for flaw in assembled.flaws where !offerFlaws.contains(flaw) {
            switch flaw.severity {
            case .error:
                figures.identityFailures += 1
                logger.error("Workload API: \(effect)\(flaw)")
            case .warning: logger.warning("Workload API: \(flaw)")
            }
        }
        offerFlaws = assembled.flaws
    }

    private func withdraw(_ reason: String) {
        guard var state = source?.reload.state, state.material != nil else { return }
        logger.error("Workload API: the identity is withdrawn, no connection is served: \(reason)")
        state.material = nil
        if !apply(state, because: .workloadAPI) { workload?.withdrawalWasNotInstalled(reason) }
    }
}
