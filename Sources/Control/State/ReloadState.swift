import Settings
import SVID

/// The settings and the identity in use, and what becomes of them when their files change. Belongs to the control
/// thread.
///
/// Nothing flawed ever takes the place of something sound; and a flaw of the settings does not keep an SVID from being
/// renewed, nor the other way round.
struct ReloadState {
    /// What reading the files came to.
    struct Outcome {
        /// Something else is to be served by: apply it, then tell ``adopt(_:)``, if that could be done.
        var change: DesiredState?
        /// What was flawed, and was not reported yet.
        var unreported: [SettingsFlaw] = []
        /// What was reported as an error, and is one no more.
        var mended: [SettingsFlaw] = []
        /// What is flawed of the identity is not its SVID: then all else of it is taken.
        var svidIsSound = true
        var settingsAreSound = true
        var identityIsSound = true
    }

    let path: String
    /// In use; the bundles of further trust domains are not looked at here.
    private(set) var state: DesiredState
    private var reported: Set<SettingsFlaw>
    /// What kept sound settings from being served by.
    private var reportedFaults: Set<SettingsFlaw> = []

    init(_ ready: CheckedSettings.Ready, path: String) {
        self.path = path
        state = ready.state
        reported = Set(ready.warnings)
    }

    /// Reads everything anew, as of `now` (Unix seconds).
    mutating func readFiles(now: Int64) -> Outcome {
        var outcome = Outcome()
        let next = CheckedSettings.load(path: path, instead: state, now: now)
        var flaws = next.flaws
        if let ready = next.ready {
            outcome.svidIsSound = ready.svidIsSound
            compare(ready.state, &outcome, &flaws)
        } else {
            // Settings that are those in use may still be hindered by something else that they name.
            outcome.settingsAreSound = next.settings == state.settings
            if outcome.settingsAreSound { state.sources = next.sources }
            readIdentity(now: now, &outcome, &flaws)
        }
        outcome.unreported = flaws.filter { !reported.contains($0) }
        // A change of the settings moves flaws, and mends them by what it says.
        if outcome.settingsAreSound, outcome.change?.settings ?? state.settings == state.settings {
            let current = Set(flaws)
            outcome.mended = reported.filter { $0.severity == .error && !current.contains($0) }
        }
        reported = Set(flaws)
        return outcome
    }

    /// A change could not be served by: the flaw to report, once.
    mutating func firstReport(of fault: ProxyFault) -> SettingsFlaw? {
        let flaw =
            if case .bind(let flaw) = fault {
                flaw
            } else {
                SettingsFlaw(.error, at: Position(file: path, line: 1, column: 1), "\(fault)")
            }
        return reportedFaults.insert(flaw).inserted ? flaw : nil
    }

    /// Another state is served by from now on.
    mutating func adopt(_ state: DesiredState) {
        self.state = state
        reportedFaults = []
    }

    /// The files whose contents matter.
    var paths: [String] { [path] + state.settings.identity.paths }

    private mutating func compare(_ next: DesiredState, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        guard next.settings.identity.source == state.settings.identity.source else {
            flaws.append(
                SettingsFlaw(
                    .error, at: Position(file: path, line: 1, column: 1),
                    "where the identity comes from (files or a Workload API) can change at the next start only"))
            outcome.settingsAreSound = false
            return
        }
        outcome.identityIsSound = !flaws.contains { $0.severity == .error }
        var change = next
        // What the Workload API handed out is in no file.
        change.material = next.material ?? state.material
        if change.settings == state.settings, change.material == state.material {
            state.sources = next.sources
        } else {
            outcome.change = change
        }
    }

    private func readIdentity(now: Int64, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        let identity = CheckedSettings.identity(of: state.settings, state.sources, .uphold(state.material), now: now)
        // What stands at the same place has been said of it already.
        flaws += identity.flaws.filter { flaw in !flaws.contains { $0.position == flaw.position } }
        outcome.identityIsSound = !identity.flaws.contains { $0.severity == .error }
        outcome.svidIsSound = identity.material != nil && identity.svidIsSound
        guard let renewed = identity.material, renewed != state.material else { return }
        var change = state
        change.material = renewed
        outcome.change = change
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
