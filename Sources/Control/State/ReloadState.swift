import Settings
import SVID

/// The settings and the identity in use, and how a reload changes them. Belongs to the control thread.
///
/// A flawed part never replaces a sound one. A flaw in the settings does not block an SVID renewal, nor the reverse.
struct ReloadState {
    /// The outcome of a reload.
    struct Outcome {
        /// The state to serve instead: apply it, then call ``adopt(_:)`` if that succeeded.
        var change: DesiredState?
        /// Flaws not reported yet.
        var unreported: [SettingsFlaw] = []
        /// What was reported as an error, and is one no more.
        var mended: [SettingsFlaw] = []
        /// What is flawed of the identity is not its SVID: then all else of it is taken.
        var svidIsSound = true
        var settingsAreSound = true
        var identityIsSound = true
    }

    let path: String
    private let guardrails: String?
    /// In use; the bundles of federated trust domains are handled elsewhere.
    private(set) var state: DesiredState
    private var reported: Set<SettingsFlaw>
    /// Why sound settings could not be applied.
    private var reportedFaults: Set<SettingsFlaw> = []

    init(_ ready: CheckedSettings.Ready, path: String) {
        self.path = path
        guardrails = ready.guardrails
        state = ready.state
        reported = Set(ready.warnings)
    }

    /// Reloads everything, as of `now` (Unix seconds).
    mutating func readFiles(now: Int64) -> Outcome {
        var outcome = Outcome()
        let next = CheckedSettings.load(path: path, guardrails: guardrails, instead: state, now: now)
        var flaws = next.flaws
        if let ready = next.ready {
            outcome.svidIsSound = ready.svidIsSound
            compare(ready.state, &outcome, &flaws)
        } else {
            // Unchanged settings may still be blocked by a file that they name.
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

    /// A change could not be applied: returns the flaw to report, once.
    mutating func firstReport(of fault: ProxyFault) -> SettingsFlaw? {
        let flaw =
            switch fault {
            case .bind(let flaw), .unsupported(let flaw): flaw
            case .control, .tls: SettingsFlaw(.error, at: Position(file: path, line: 1, column: 1), "\(fault)")
            }
        return reportedFaults.insert(flaw).inserted ? flaw : nil
    }

    /// Records the state now being served.
    mutating func adopt(_ state: DesiredState) {
        self.state = state
        reportedFaults = []
    }

    /// The files whose contents matter.
    var paths: [String] { [path] + [guardrails].compactMap(\.self) + state.settings.identity.paths }

    private mutating func compare(_ next: DesiredState, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        guard next.settings.identity.source == state.settings.identity.source else {
            flaws.append(
                SettingsFlaw(
                    .error, at: Position(file: path, line: 1, column: 1),
                    "the source of the identity (files or a Workload API) can change only at the next start"))
            outcome.settingsAreSound = false
            return
        }
        outcome.identityIsSound = !flaws.contains { $0.severity == .error }
        var change = next
        // An identity from the Workload API is in no file.
        change.material = next.material ?? state.material
        if change.settings == state.settings, change.material == state.material {
            state.sources = next.sources
        } else {
            outcome.change = change
        }
    }

    private func readIdentity(now: Int64, _ outcome: inout Outcome, _ flaws: inout [SettingsFlaw]) {
        let identity = CheckedSettings.identity(of: state.settings, state.sources, .uphold(state.material), now: now)
        // A flaw at the same position has been reported already.
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
    /// The files that the settings name.
    var paths: [String] {
        switch self {
        case .files(let files):
            [files.certificate, files.privateKey] + files.trustBundles.map(\.path) + files.revocationLists.map(\.path)
        case .workloadAPI: []
        }
    }
}
