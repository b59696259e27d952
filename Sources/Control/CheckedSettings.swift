public import Settings

public import SVID

/// A settings file and the identity files that it names, loaded as `run` loads them. Binds nothing.
public struct CheckedSettings: Sendable {
    /// What a proxy starts from.
    public struct Ready: Sendable {
        public let settings: Settings
        /// Nil where the Workload API will hand it out.
        public let material: IdentityMaterial?
        /// Of the settings file.
        let text: [UInt8]
        let warnings: [SettingsFlaw]
    }

    /// Nil exactly if `flaws` holds an error.
    public let ready: Ready?
    /// The settings alone, where they are good; the identity files may not be.
    public let settings: Settings?
    /// All of them, in the order of the file.
    public let flaws: [SettingsFlaw]
    /// Of the settings file, as far as it could be read.
    let text: [UInt8]

    /// What is served by, for whoever looks whether something else is to be.
    struct InUse {
        /// Of the settings file.
        let text: [UInt8]
        let material: IdentityMaterial?
    }

    /// - Parameter now: Unix seconds, for the validity of certificates.
    public static func load(path: String, now: Int64) -> CheckedSettings { load(path: path, instead: nil, now: now) }

    /// - Parameter inUse: where the settings are the same, what is flawed of another trust domain is upheld from there.
    static func load(path: String, instead inUse: InUse?, now: Int64) -> CheckedSettings {
        check(Settings.load(path: path, endpointSocket: WorkloadEnvironment.endpointSocket), instead: inUse, now: now)
    }

    /// The same of text that stands in no file; relative paths in it are those of the working folder.
    ///
    /// - Parameter name: what messages call it.
    public static func check(text: [UInt8], as name: String, now: Int64) -> CheckedSettings {
        check(
            Settings.parse(text: text, file: name, endpointSocket: WorkloadEnvironment.endpointSocket), instead: nil,
            now: now)
    }

    /// Of a settings file.
    public static var bytesAtMost: Int { Settings.bytesAtMost }

    private static func check(_ outcome: LoadOutcome, instead inUse: InUse?, now: Int64) -> CheckedSettings {
        guard let settings = outcome.settings else {
            return CheckedSettings(ready: nil, settings: nil, flaws: outcome.flaws, text: outcome.text)
        }
        let isInUse = inUse?.text == outcome.text
        let identity = identity(of: settings, isInUse ? .uphold(inUse?.material) : .refuseAll, now: now)
        var flaws = outcome.flaws + identity.flaws
        var isSound = identity.isSound
        if case .file(let log) = settings.accessLog, let obstacle = AccessLogOutput.obstacle(at: log.value) {
            flaws.append(SettingsFlaw(.error, at: log.position, "cannot open the access log \(log.value): \(obstacle)"))
            isSound = false
        }
        flaws += ApplicationExposure.warnings(
            outcome.applications, boundByUs: settings.listeners.map(\.bind.value))
        flaws.sort { ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column) }
        let ready =
            isSound ? Ready(settings: settings, material: identity.material, text: outcome.text, warnings: flaws) : nil
        return CheckedSettings(ready: ready, settings: settings, flaws: flaws, text: outcome.text)
    }

    /// The identity in the files that the settings name; none where it is not in files.
    static func identity(
        of settings: Settings, _ flawedDomains: FlawedDomains, now: Int64
    ) -> (material: IdentityMaterial?, flaws: [SettingsFlaw], isSound: Bool) {
        guard case .files(let files) = settings.identity else { return (nil, [], true) }
        let outcome = IdentityMaterial.load(IdentityFiles(files), flawedDomains, now: now)
        let flaws = outcome.flaws.map { SettingsFlaw($0, in: files) }
        return (outcome.material, flaws, outcome.material != nil)
    }
}

extension IdentityFiles {
    init(_ files: FileIdentity) {
        self.init(
            certificate: files.certificate.value, privateKey: files.privateKey.value,
            trustBundles: files.trustBundles.map(DomainFile.init),
            revocationLists: files.revocationLists.map(DomainFile.init),
            revocation: Revocation.Mode(files.revocation))
    }
}

extension IdentityFiles.DomainFile {
    fileprivate init(_ file: TrustBundleFile) {
        self.init(trustDomain: file.trustDomain, path: file.path.value)
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
    /// The flaw of a file, at the setting that names the file.
    init(_ flaw: IdentityFlaw, in files: FileIdentity) {
        let position =
            switch flaw.part {
            case .svid, .revocationLists(nil): files.certificate.position
            case .privateKey: files.privateKey.position
            case .trustBundle(let domain):
                files.trustBundles.first { $0.trustDomain == domain && $0.path.value == flaw.path }?.path.position
                    ?? files.certificate.position
            case .revocationLists(let domain?):
                files.revocationLists.first { $0.trustDomain == domain && $0.path.value == flaw.path }?.path.position
                    ?? files.certificate.position
            }
        self.init(flaw.severity == .error ? .error : .warning, at: position, flaw.description)
    }
}
