import DataPlane
import Logging
import Settings
import TLS
import WorkloadAPI

/// Serving by what the Workload API hands out.
extension Proxy {
    /// Takes what it has said; `ready` with the first SVID.
    func takeIdentity() -> News {
        for change in workload?.takeChanges() ?? [] {
            switch change {
            case .use(let svid, let state): use(svid, state)
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
            let material = assembled.material
            guard !material.isSame(as: source.configuration.material) else { return }
            take(material, &source)
        } catch {
            figures.identityFailures += 1
            figures.identityIsSound = false
            logger.error("Workload API: what it hands out is refused, the old identity stays: \(error)")
        }
    }

    /// Says once what was left out of what the Workload API hands out.
    private func report(passedOver flaws: [IssuedIdentityFlaw]) {
        figures.identityIsSound = flaws.isEmpty
        for flaw in flaws where !passedOver.contains(flaw) {
            figures.identityFailures += 1
            logger.error("Workload API: \(flaw)")
        }
        passedOver = flaws
    }

    private func withdraw(_ reason: String) {
        guard var source, source.configuration.material != nil else { return }
        logger.error("Workload API: the identity is withdrawn, nobody is served: \(reason)")
        take(nil, &source)
        self.source = source
    }

    private func take(_ material: IdentityMaterial?, _ source: inout SettingsSource) {
        let change = source.configuration.change(to: material)
        do throws(ProxyFault) {
            try install(change, instead: source.configuration.settings)
            source.take(change)
        } catch {
            figures.identityFailures += 1
            logger.error("\(error)")
        }
    }
}
