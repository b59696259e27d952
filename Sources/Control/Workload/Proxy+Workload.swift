import DataPlane
import Logging
import Settings
import System
import WorkloadAPI
import SVID

/// Serving by what the Workload API hands out.
extension Proxy {
    /// Takes what it has said; `ready` with the first SVID.
    func takeIdentity() -> News {
        while let change = workload?.takeChange() {
            switch change {
            case .use(let offer): use(offer.svid, offer.state)
            case .withdraw(let reason): withdraw(reason)
            }
        }
        return announce()
    }

    private func use(_ svid: WorkloadSVID, _ state: WorkloadState) {
        guard var source, case .workloadAPI(let settings) = source.configuration.settings.identity else { return }
        let issued = IssuedIdentity(
            certificates: svid.certificates, privateKey: svid.privateKey, bundles: state.bundles(beside: svid),
            revocationLists: state.revocationLists, revocation: Revocation.Mode(settings.revocation))
        defer { self.source = source }
        let assembled = IdentityMaterial.assemble(
            issued, now: WallClock.seconds(), lastGood: source.configuration.material)
        report(assembled)
        guard let material = assembled.material, material != source.configuration.material else { return }
        if !take(material, &source) { workload?.offerWasNotInstalled() }
    }

    /// Says once what is wrong with what the Workload API hands out.
    private func report(_ assembled: AssembledIdentity) {
        let errors = assembled.flaws.filter { $0.severity == .error }
        figures.identityIsSound = errors.isEmpty
        if !errors.isEmpty { workload?.offerWasRefused() }
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
        guard var source, source.configuration.material != nil else { return }
        logger.error("Workload API: the identity is withdrawn, nobody is served: \(reason)")
        if !take(nil, &source) { workload?.withdrawalWasNotInstalled(reason) }
        self.source = source
    }

    /// False where it could not be installed.
    private func take(_ material: IdentityMaterial?, _ source: inout SettingsSource) -> Bool {
        let change = source.configuration.change(to: material)
        do throws(ProxyFault) {
            try install(change, instead: source.configuration.settings)
            source.take(change)
            return true
        } catch {
            figures.identityFailures += 1
            figures.identityIsSound = false
            logger.error("\(error)")
            return false
        }
    }
}
