import ArgumentParser
import Commands
import Control
import Identity
import Load
import Policy
import Settings
import System
import TLS
import SVID

/// The client's identity, and the server identities to accept.
struct LoadIdentityOptions: ParsableArguments {
    @Flag(help: "Use plaintext, without an identity.")
    var plain = false

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("The settings file to take identity and tls.minVersion from.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The SVID, instead of --config: PEM, leaf first.", valueName: "file"))
    var certificate: String?

    @Option(
        help: ArgumentHelp(
            "The SVID's private key; without it, the key is in the certificate's file.", valueName: "file"))
    var privateKey: String?

    @Option(help: ArgumentHelp("The root certificates of a trust domain; repeatable.", valueName: "domain=file"))
    var trustBundle: [BundleArgument] = []

    @Option(help: ArgumentHelp("A SPIFFE ID or pattern to accept from the target; repeatable.", valueName: "pattern"))
    var identity: [String] = []

    @Option(help: ArgumentHelp("The server name to send (SNI).", valueName: "name"))
    var sni: String?

    @Option(help: ArgumentHelp("An ALPN protocol to offer, in order of preference; repeatable.", valueName: "protocol"))
    var alpn: [String] = []

    @Flag(help: "Offer sessions for resumption; by default every handshake is a full one.")
    var resume = false

    /// Loads the identity; nil for plaintext.
    func security() throws -> LoadPlan.Security? {
        let tlsOptions =
            config != nil || certificate != nil || privateKey != nil || !trustBundle.isEmpty || !identity.isEmpty
            || sni != nil || !alpn.isEmpty || resume
        if plain {
            guard !tlsOptions else { throw BadInput("--plain excludes the TLS options") }
            return nil
        }
        guard !identity.isEmpty else {
            throw BadInput(
                "--identity is missing: name the identities to accept from the target (or use --plain for plaintext)")
        }
        let patterns = try identity.map { text in
            do throws(IdentityPatternFlaw) {
                return try IdentityPattern(parsing: text)
            } catch {
                throw BadInput("--identity \(text): \(error)")
            }
        }
        let (material, minVersion) = try load()
        var security = LoadPlan.Security(material: material) { id in patterns.contains { $0.matches(id) } }
        security.minVersion = minVersion
        security.resumes = resume
        security.serverName = sni
        security.applicationProtocols = alpn
        return security
    }

    private func load() throws -> (IdentityMaterial, TLSVersion) {
        if let config {
            guard certificate == nil, privateKey == nil, trustBundle.isEmpty else {
                throw BadInput("--config excludes --certificate, --private-key and --trust-bundle")
            }
            let checked = CheckedSettings.load(path: config, now: WallClock.seconds())
            Console.complain(checked.flaws)
            guard let ready = checked.ready else { throw ExitCode.badInput }
            guard let material = ready.material else {
                throw BadInput(
                    "--config \(config): the identity is not in files; use --certificate, --private-key and"
                        + " --trust-bundle"
                )
            }
            return (material, ready.settings.tls.minVersion == .tls12 ? .tls12 : .tls13)
        }
        guard let certificate, !trustBundle.isEmpty else {
            throw BadInput(
                "no identity: use --config, or --certificate with --private-key and --trust-bundle, or --plain")
        }
        let bundles = try trustBundle.map { bundle in
            do throws(SPIFFEIDFlaw) {
                return IdentityFiles.DomainFile(
                    trustDomain: try TrustDomain(parsing: bundle.domain), path: bundle.path)
            } catch {
                throw BadInput("--trust-bundle \(bundle.domain)=\(bundle.path): \(error)")
            }
        }
        let files = IdentityFiles(
            certificate: certificate, privateKey: privateKey ?? certificate, trustBundles: bundles)
        let outcome = IdentityMaterial.load(files, now: WallClock.seconds())
        for flaw in outcome.flaws { Console.complain("\(flaw)") }
        guard let material = outcome.material else { throw ExitCode.badInput }
        return (material, .tls13)
    }
}
