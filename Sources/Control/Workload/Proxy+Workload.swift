import DataPlane
import Logging
import Settings
import System
import TLS
import WorkloadAPI

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
        let generation = source.configuration.nextGeneration()
        defer { self.source = source }
        do throws(IssuedIdentityFlaw) {
            let assembled = try IdentityMaterial.assemble(
                issued, generation: generation, now: WallClock.seconds(), lastGood: source.configuration.material)
            report(passedOver: assembled.passedOver)
            refusedOffer = nil
            let material = assembled.material
            guard !material.isSame(as: source.configuration.material) else { return }
            if !take(material, &source) { workload?.offerWasNotInstalled() }
        } catch {
            workload?.offerWasRefused()
            figures.identityFailures += 1
            figures.identityIsSound = false
            guard refusedOffer != error else { return }
            refusedOffer = error
            logger.error("Workload API: what it hands out is refused, the old identity stays: \(error)")
        }
    }

    /// Says once what was left out of what the Workload API hands out.
    private func report(passedOver flaws: [IssuedIdentityFlaw]) {
        figures.identityIsSound = flaws.isEmpty
        if !flaws.isEmpty { workload?.offerWasRefused() }
        for flaw in flaws where !passedOver.contains(flaw) {
            figures.identityFailures += 1
            logger.error("Workload API: \(flaw)")
        }
        passedOver = flaws
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
