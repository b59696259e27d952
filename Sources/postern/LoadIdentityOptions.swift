import ArgumentParser
import Control
import Identity
import Load
import Policy
import Settings
import System
import TLS
import SVID

/// Who we are to the target, and whom we agree to talk to.
struct LoadIdentityOptions: ParsableArguments {
    @Flag(help: "Speak plaintext, without an identity.")
    var plain = false

    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("A settings file whose identity and tls.minVersion are used.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("The SVID, instead of --config: PEM, leaf first.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("The SVID's private key.", valueName: "file"))
    var privateKey: String?

    @Option(help: ArgumentHelp("The roots of a trust domain; repeatable.", valueName: "domain=file"))
    var trustBundle: [BundleArgument] = []

    @Option(help: ArgumentHelp("A SPIFFE ID, or pattern, that the target may have; repeatable.", valueName: "pattern"))
    var identity: [String] = []

    @Option(help: ArgumentHelp("The server name to ask for.", valueName: "name"))
    var sni: String?

    @Option(help: ArgumentHelp("An ALPN protocol to offer, most wanted first; repeatable.", valueName: "protocol"))
    var alpn: [String] = []

    @Flag(help: "Offer sessions for resumption; without it every handshake is a full one.")
    var resume = false

    /// Loads the identity; nil of plaintext.
    func security() throws -> LoadPlan.Security? {
        let tlsOptions =
            config != nil || certificate != nil || privateKey != nil || !trustBundle.isEmpty || !identity.isEmpty
            || sni != nil || !alpn.isEmpty || resume
        if plain {
            guard !tlsOptions else { throw BadInput("--plain does not go with an option of TLS") }
            return nil
        }
        guard !identity.isEmpty else {
            throw BadInput("--identity is missing: whom may the target be? (--plain speaks plaintext)")
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
                throw BadInput("--config does not go with --certificate, --private-key or --trust-bundle")
            }
            let checked = CheckedSettings.load(path: config, now: WallClock.seconds())
            Console.complain(checked.flaws)
            guard let ready = checked.ready else { throw ExitCode.badInput }
            guard let material = ready.material else {
                throw BadInput("--config \(config): the identity is not in files; name --certificate and its like")
            }
            return (material, ready.settings.tls.minVersion == .tls12 ? .tls12 : .tls13)
        }
        guard let certificate, let privateKey, !trustBundle.isEmpty else {
            throw BadInput(
                "an identity is missing: --config, or --certificate with --private-key and --trust-bundle, or --plain")
        }
        let bundles = try trustBundle.map { bundle in
            do throws(SPIFFEIDFlaw) {
                return IdentityFiles.DomainFile(
                    trustDomain: try TrustDomain(parsing: bundle.domain), path: bundle.path)
            } catch {
                throw BadInput("--trust-bundle \(bundle.domain)=\(bundle.path): \(error)")
            }
        }
        let files = IdentityFiles(certificate: certificate, privateKey: privateKey, trustBundles: bundles)
        let outcome = IdentityMaterial.load(files, now: WallClock.seconds())
        for flaw in outcome.flaws { Console.complain("\(flaw)") }
        guard let material = outcome.material else { throw ExitCode.badInput }
        return (material, .tls13)
    }
}
