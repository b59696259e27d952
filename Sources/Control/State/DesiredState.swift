import DataPlane
import SVID
import Settings

/// Everything a proxy serves by, whatever the source of each part.
struct DesiredState {
    var settings: Settings
    /// Positions of the settings in their file.
    var sources: SourceMap
    /// Nil while there is no SVID.
    var material: IdentityMaterial?
    /// Bundles of federated trust domains, from their endpoints.
    var bundles: [TrustBundle] = []

    /// The addresses of the names among the endpoints.
    var names = ResolvedNames()

    /// The identity with all trust bundles.
    var trusted: IdentityMaterial? { material?.adding(bundles) }
}

/// The differences between two states.
struct StateDifference: Equatable {
    enum Part: String, CaseIterable {
        case settings, identity, bundles
    }

    let parts: [Part]
    /// Settings that differ from those of the start, and are read then alone.
    let keysForNextStart: [String]

    /// - Parameter started: what the process was started with.
    init(from old: DesiredState, to new: DesiredState, started: Settings) {
        parts = Part.allCases.filter { part in
            switch part {
            case .settings: old.settings != new.settings
            case .identity: old.material != new.material
            case .bundles: old.bundles != new.bundles
            }
        }
        keysForNextStart = new.settings.keysForNextStart(insteadOf: started)
    }
}
