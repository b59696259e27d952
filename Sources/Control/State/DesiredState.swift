import SVID
import Settings

/// All that a proxy serves by, from whichever source each part came.
struct DesiredState {
    var settings: Settings
    /// Where the settings stand in their file.
    var sources: SourceMap
    /// Nil while there is no SVID.
    var material: IdentityMaterial?
    /// Of further trust domains, from their endpoints.
    var bundles: [TrustBundle] = []

    /// The identity, trusting all that is to be trusted.
    var trusted: IdentityMaterial? { material?.adding(bundles) }
}

/// What one state has instead of another.
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
