import ArgumentParser
import Commands
import Injector

/// The certificate that the webhook serves, and whom it lets in.
struct CertificateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The certificate, PEM, leaf first.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var privateKey: String?

    @Option(
        help: ArgumentHelp(
            "A name by which the API server calls the webhook, which the certificate must be for; repeatable.",
            valueName: "name"))
    var host: [String] = []

    @Option(help: ArgumentHelp("Authorities, PEM, of whose certificates clients must have one.", valueName: "file"))
    var clientCA: String?

    @Option(
        help: ArgumentHelp(
            "With --client-ca: the common name of a client that may send reviews; repeatable. Without it, all may.",
            valueName: "name"))
    var clientName: [String] = []

    /// Those of the chart without any.
    var hosts: [String] { host.isEmpty ? ["postern-injector.postern-system.svc"] : host }

    var clients: Set<String>? { clientName.isEmpty ? nil : Set(clientName) }

    func paths() throws(BadInput) -> CertificatePaths {
        guard let certificate, let privateKey else { throw BadInput("--certificate and --private-key are needed") }
        return CertificatePaths(certificate: certificate, privateKey: privateKey, clientAuthorities: clientCA)
    }

    func validate() throws {
        guard clientName.isEmpty || clientCA != nil else {
            throw ValidationError("--client-name goes with --client-ca")
        }
    }
}
