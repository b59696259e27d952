import Settings
import SVID

/// The settings and the identity in use, and what becomes of them when their files change. Belongs to the control thread.
///
/// Nothing flawed ever takes the place of something sound; and a flaw of the settings does not keep an SVID from being
/// renewed, nor the other way round.
struct Configuration {
    /// What a look at the files came to.
    struct Outcome {
        /// Something else is to be served by: install it, then tell ``take(_:)``, if that could be done.
        var change: Change?
        /// What was flawed, and is told of for the first time.
        var news: [SettingsFlaw] = []
        var settingsAreSound = true
        var identityIsSound = true
    }

    struct Change {
        let settings: Settings
        let sources: SourceMap
        let material: IdentityMaterial?
    }

    let path: String
    private(set) var settings: Settings
    /// Where the settings stand in the file.
    private var sources: SourceMap
    /// Nil while the Workload API hands none out.
    private(set) var material: IdentityMaterial?
    private var told: Set<SettingsFlaw> = []
    /// What kept sound settings from being served by.
    private var refused: Set<SettingsFlaw> = []

    init(_ ready: CheckedSettings.Ready, path: String) {
        self.path = path
        settings = ready.settings
        material = ready.material
        sources = ready.sources
        told = Set(ready.warnings)
    }

    /// Reads everything anew, as of `now` (Unix seconds).
    mutating func look(now: Int64) -> Outcome {
        var outcome = Outcome()
        let inUse = CheckedSettings.InUse(settings: settings, material: material)
        let next = CheckedSettings.load(path: path, instead: inUse, now: now)
        var flaws = next.flaws
        if let ready = next.ready {
            consider(ready, &outcome, &flaws)
        } else {
            // Settings that are those in use may still be hindered by something else that they name.
            outcome.settingsAreSound = next.settings == settings
            if outcome.settingsAreSound { sources = next.sources }
            lookAtIdentity(now: now, &outcome, &flaws)
        }
        outcome.news = flaws.filter { !told.contains($0) }
        told = Set(flaws)
        return outcome
    }

    /// A change could not be served by: what is to be told of that, once.
    mutating func firstTelling(of fault: ProxyFault) -> [SettingsFlaw] {
        let flaw =
            if case .bind(let flaw) = fault {
                flaw
            } else {
                SettingsFlaw(.error, at: Position(file: path, line: 1, column: 1), "\(fault)")
            }
        return refused.insert(flaw).inserted ? [flaw] : []
    }

    /// The change is served by from now on.
    mutating func take(_ change: Change) {
        settings = change.settings
        sources = change.sources
        material = change.material
        refused = []
    }

    /// What is in use already, to be installed anew.
    var current: Change { change(to: material) }

    /// The files whose contents matter.
    var paths: [String] { [path] + settings.identity.paths }

    private mutating func consider(
        _ ready: CheckedSettings.Ready, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]
    ) {
        guard ready.settings.identity.source == settings.identity.source else {
            flaws.append(
                SettingsFlaw(
                    .error, at: Position(file: path, line: 1, column: 1),
                    "where the identity comes from (files or a Workload API) can change at the next start only"))
            outcome.settingsAreSound = false
            return
        }
        outcome.identityIsSound = !flaws.contains { $0.severity == .error }
        let isRenewed = ready.material.map { $0 != material } ?? false
        guard ready.settings != settings || isRenewed else {
            sources = ready.sources
            return
        }
        outcome.change = Change(
            settings: ready.settings, sources: ready.sources, material: ready.material ?? material)
    }

    /// What is in use, with another identity or none.
    func change(to material: IdentityMaterial?) -> Change {
        Change(settings: settings, sources: sources, material: material)
    }

    private func lookAtIdentity(now: Int64, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        let identity = CheckedSettings.identity(of: settings, sources, .uphold(material), now: now)
        // What stands at the same place has been said of it already.
        flaws += identity.flaws.filter { flaw in !flaws.contains { $0.position == flaw.position } }
        outcome.identityIsSound = !identity.flaws.contains { $0.severity == .error }
        guard let renewed = identity.material, renewed != material else { return }
        outcome.change = change(to: renewed)
    }
}

extension IdentitySettings {
    /// The files that it names.
    var paths: [String] {
        switch self {
        case .files(let files):
            [files.certificate, files.privateKey] + files.trustBundles.map(\.path) + files.revocationLists.map(\.path)
        case .workloadAPI: []
        }
    }
}
