import DataPlane
public import SVID
public import Settings
import TLS

/// A settings file and the identity files that it names, loaded as `run` loads them. Binds nothing.
public struct CheckedSettings: Sendable {
    /// The input of a proxy's start.
    public struct Ready: Sendable {
        public let settings: Settings
        /// Nil if it comes from the Workload API.
        public let material: IdentityMaterial?
        let sources: SourceMap
        let warnings: [SettingsFlaw]
        /// What is flawed of the identity is not its SVID: then all else is taken.
        let svidIsSound: Bool
        /// The file of guardrails, if there is one.
        let guardrails: String?

        /// The names of the key exchange groups in use.
        public var keyExchange: String { TLSLibrary.keyExchange(of: TLSOptions(settings.tls)) }

        var state: DesiredState { DesiredState(settings: settings, sources: sources, material: material) }
    }

    /// Nil exactly if `flaws` holds an error.
    public let ready: Ready?
    /// The settings, if they are sound; the identity files may still be flawed.
    public let settings: Settings?
    /// All flaws, in the order of the file.
    public let flaws: [SettingsFlaw]
    /// Positions of the settings in the file.
    let sources: SourceMap

    /// As somebody wants to know it who looks: every flaw counts.
    ///
    /// - Parameters:
    ///   - guardrails: a file of guardrails that no policy may pass.
    ///   - now: Unix seconds, for the validity of certificates.
    public static func load(path: String, guardrails: String? = nil, now: Int64) -> CheckedSettings {
        check(choosingModule(read(path, guardrails)), guardrails, now: now) { _ in .refuseAll }.warningOfSupport()
    }

    /// As a proxy starts from it: what is flawed of another trust domain than our own hinders nobody else.
    public static func load(toRun path: String, guardrails: String? = nil, now: Int64) -> CheckedSettings {
        check(choosingModule(read(path, guardrails)), guardrails, now: now) { _ in .uphold(nil) }
    }

    /// As it may take the place of what is in use: what is flawed of a trust domain stays as it is there. Only of a
    /// domain that is new in the settings a flaw is theirs.
    static func load(
        path: String, guardrails: String?, instead inUse: DesiredState, now: Int64
    ) -> CheckedSettings {
        check(read(path, guardrails), guardrails, now: now) { settings in
            guard settings != inUse.settings, let material = inUse.material else { return .uphold(inUse.material) }
            return .upholdKnown(material)
        }
    }

    private static func read(_ path: String, _ guardrails: String?) -> LoadOutcome {
        within(guardrails, Settings.load(path: path, endpointSocket: WorkloadEnvironment.endpointSocket))
    }

    /// The settings without what they name: for a pipeline, which has neither keys nor the host that they are for.
    public static func settingsAlone(_ outcome: LoadOutcome, guardrails: String? = nil) -> LoadOutcome {
        var outcome = within(guardrails, outcome)
        guard let settings = outcome.settings else { return outcome }
        outcome.flaws += warnings(of: settings, outcome.sources)
        outcome.flaws.sort { ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column) }
        return outcome
    }

    /// Refuses policies that pass a guardrail, and any if the guardrails cannot be read.
    private static func within(_ guardrails: String?, _ outcome: LoadOutcome) -> LoadOutcome {
        guard let guardrails else { return outcome }
        var outcome = outcome
        let loaded = Guardrail.load(path: guardrails)
        var flaws = loaded.flaws
        if let guardrails = loaded.contents, let settings = outcome.settings {
            flaws += GuardrailCheck.flaws(guardrails, of: settings, outcome.policies)
        }
        if flaws.contains(where: { $0.severity == .error }) { outcome.settings = nil }
        outcome.flaws += flaws
        return outcome
    }

    /// Checks text that is in no file; relative paths in it start at the working folder.
    ///
    /// - Parameter name: its name in messages.
    public static func check(
        text: [UInt8], as name: String, guardrails: String? = nil, now: Int64
    ) -> CheckedSettings {
        let outcome = Settings.parse(text: text, file: name, endpointSocket: WorkloadEnvironment.endpointSocket)
        return check(choosingModule(within(guardrails, outcome)), guardrails, now: now) { _ in .refuseAll }
            .warningOfSupport()
    }

    /// With a warning for each setting that the kernel would refuse to this process, which may not be the one that is
    /// to run it.
    private func warningOfSupport() -> CheckedSettings {
        guard let settings else { return self }
        var warnings = TransparencyCheck.flaws(settings, sources, severity: .warning)
        if let socket = settings.admin?.socket, let obstacle = AdminSocket.obstacle(to: socket) {
            warnings.append(
                SettingsFlaw(.warning, at: sources.adminSocket, "here \(socket.address) cannot be made: \(obstacle)"))
        }
        guard !warnings.isEmpty else { return self }
        let all = (flaws + warnings).sorted {
            ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
        }
        return CheckedSettings(ready: ready, settings: settings, flaws: all, sources: sources)
    }

    /// Decides what module of OpenSSL this process's cryptography comes from, which takes effect at a start only; the
    /// settings are refused if it cannot be the one that they want. No certificate is looked at before.
    private static func choosingModule(_ outcome: LoadOutcome) -> LoadOutcome {
        guard let settings = outcome.settings,
            let flaw = LibrarySupport.moduleFlaw(of: settings.tls, outcome.sources)
        else { return outcome }
        var outcome = outcome
        outcome.settings = nil
        outcome.flaws.append(flaw)
        return outcome
    }

    /// The size limit of a settings file.
    public static var bytesAtMost: Int { Settings.bytesAtMost }

    private static func check(
        _ outcome: LoadOutcome, _ guardrails: String?, now: Int64, _ flawedDomains: (Settings) -> FlawedDomains
    ) -> CheckedSettings {
        guard let settings = outcome.settings else {
            return CheckedSettings(ready: nil, settings: nil, flaws: outcome.flaws, sources: outcome.sources)
        }
        let sources = outcome.sources
        let identity = identity(of: settings, sources, flawedDomains(settings), now: now)
        var flaws = outcome.flaws + identity.flaws
        var isSound = identity.isSound
        if case .file(let log) = settings.accessLog, let obstacle = AccessLogOutput.obstacle(at: log) {
            flaws.append(SettingsFlaw(.error, at: sources.accessLog, "cannot open the access log \(log): \(obstacle)"))
            isSound = false
        }
        let librarySupport = LibrarySupport.flaws(of: settings.tls, sources)
        flaws += librarySupport
        if librarySupport.contains(where: { $0.severity == .error }) { isSound = false }
        flaws += ApplicationExposure.warnings(
            ApplicationExposure.applications(of: settings, sources),
            boundByUs: settings.listeners.compactMap(\.bind.endpoint))
        flaws += warnings(of: settings, sources)
        flaws.sort { ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column) }
        let ready =
            isSound
            ? Ready(
                settings: settings, material: identity.material, sources: sources, warnings: flaws,
                svidIsSound: identity.svidIsSound, guardrails: guardrails) : nil
        return CheckedSettings(ready: ready, settings: settings, flaws: flaws, sources: sources)
    }

    private static func warnings(of settings: Settings, _ sources: SourceMap) -> [SettingsFlaw] {
        LoopbackExposure.warnings(settings, sources) + UnmatchedSources.warnings(settings, sources)
            + UnmatchedPorts.warnings(settings, sources)
    }

    /// Loads the identity from the files that the settings name; nil if it is not in files.
    static func identity(
        of settings: Settings, _ sources: SourceMap, _ flawedDomains: FlawedDomains, now: Int64
    ) -> (material: IdentityMaterial?, flaws: [SettingsFlaw], isSound: Bool, svidIsSound: Bool) {
        guard case .files(let files) = settings.identity else { return (nil, [], true, true) }
        let outcome = IdentityMaterial.load(IdentityFiles(files), flawedDomains, now: now)
        let flaws = outcome.flaws.map { SettingsFlaw($0, sources) }
        return (outcome.material, flaws, outcome.material != nil, outcome.svidIsSound)
    }
}

extension IdentityFiles {
    init(_ files: FileIdentity) {
        self.init(
            certificate: files.certificate, privateKey: files.privateKey,
            trustBundles: files.trustBundles.map(DomainFile.init),
            revocationLists: files.revocationLists.map(DomainFile.init),
            revocation: Revocation.Mode(files.revocation))
    }
}

extension IdentityFiles.DomainFile {
    fileprivate init(_ file: TrustBundleFile) {
        self.init(trustDomain: file.trustDomain, path: file.path)
    }
}

extension Revocation.Mode {
    init(_ mode: RevocationMode) {
        switch mode {
        case .off: self = .off
        case .ifPresent: self = .ifPresent
        case .required: self = .required
        }
    }
}

extension SettingsFlaw {
    /// The flaw of a file, positioned at the setting that names it.
    init(_ flaw: IdentityFlaw, _ sources: SourceMap) {
        let position =
            switch flaw.part {
            case .svid, .revocationLists(nil): sources.certificate
            case .privateKey: sources.privateKey
            case .trustBundle(let trustDomain): sources.trustBundle(of: trustDomain)
            case .revocationLists(let trustDomain?): sources.revocationList(of: trustDomain)
            }
        self.init(flaw.severity == .error ? .error : .warning, at: position, flaw.description)
    }
}
