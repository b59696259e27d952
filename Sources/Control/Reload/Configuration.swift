import Settings
import TLS

/// The settings and the identity in use, and what becomes of them when their files change. Belongs to the control
/// thread.
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
        let material: IdentityMaterial?
        fileprivate let text: [UInt8]
    }

    let path: String
    private(set) var settings: Settings
    /// Nil while the Workload API hands none out.
    private(set) var material: IdentityMaterial?
    /// Of the settings file.
    private var text: [UInt8]
    private var generation: UInt64
    private var told: Set<SettingsFlaw> = []
    /// What kept sound settings from being served by.
    private var refused: Set<SettingsFlaw> = []

    init(_ ready: CheckedSettings.Ready, path: String) {
        self.path = path
        settings = ready.settings
        material = ready.material
        text = ready.text
        told = Set(ready.warnings)
        generation = ready.material?.generation ?? 0
    }

    /// Reads everything anew, as of `now` (Unix seconds).
    mutating func look(now: Int64) -> Outcome {
        var outcome = Outcome()
        let next = CheckedSettings.load(path: path, generation: generation + 1, now: now)
        var flaws = next.flaws
        if let ready = next.ready {
            consider(ready, &outcome, &flaws)
        } else {
            // Settings that are those in use may still be hindered by something else that they name.
            outcome.settingsAreSound = next.text == text
            lookAtIdentity(now: now, &outcome, &flaws)
        }
        generation += 1
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
        material = change.material
        text = change.text
        refused = []
    }

    /// What is in use already, to be installed anew.
    var current: Change { change(to: material) }

    /// The files whose contents matter.
    var paths: [String] { [path] + settings.identity.paths }

    private func consider(_ ready: CheckedSettings.Ready, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        guard ready.settings.identity.comes(fromWhere: settings.identity) else {
            flaws.append(
                SettingsFlaw(
                    .error, at: Position(file: path, line: 1, column: 1),
                    "where the identity comes from (files or a Workload API) can change at the next start only"))
            outcome.settingsAreSound = false
            return
        }
        let isRenewed = ready.material.map { !$0.isSame(as: material) } ?? false
        guard ready.text != text || isRenewed else { return }
        outcome.change = Change(settings: ready.settings, material: ready.material ?? material, text: ready.text)
    }

    /// The number of the next identity that is made.
    mutating func nextGeneration() -> UInt64 {
        generation += 1
        return generation
    }

    /// What is in use, with another identity or none.
    func change(to material: IdentityMaterial?) -> Change {
        Change(settings: settings, material: material, text: text)
    }

    private func lookAtIdentity(now: Int64, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        let identity = CheckedSettings.identity(of: settings, generation: generation + 1, now: now)
        flaws += identity.flaws.filter { !flaws.contains($0) }
        outcome.identityIsSound = identity.isSound
        guard let renewed = identity.material else { return }
        guard !renewed.isSame(as: material) else { return }
        outcome.change = Change(settings: settings, material: renewed, text: text)
    }
}

extension IdentitySettings {
    /// The files that it names.
    var paths: [String] {
        switch self {
        case .files(let files):
            [files.certificate.value, files.privateKey.value] + files.trustBundles.map(\.path.value)
                + files.revocationLists.map(\.path.value)
        case .workloadAPI: []
        }
    }

    /// Whether both come from files, or from one Workload API.
    fileprivate func comes(fromWhere other: IdentitySettings) -> Bool {
        switch (self, other) {
        case (.files, .files): true
        case (.workloadAPI(let one), .workloadAPI(let other)):
            one.address.value == other.address.value && one.hint == other.hint
        default: false
        }
    }
}
