import ArgumentParser
import Commands
import Injector
import KubernetesAPI

/// The certificate that the webhook serves, and whom it lets in.
struct CertificateOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The certificate, PEM, leaf first.", valueName: "file"))
    var certificate: String?

    @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
    var privateKey: String?

    @Flag(
        help: """
            Make the certificate, renew it, keep it in a Secret, and write its authority into the webhook configuration.
            """)
    var selfManaged = false

    @Option(help: ArgumentHelp("With --self-managed: the Secret, in the namespace of this pod.", valueName: "name"))
    var certificateSecret = "postern-injector-tls"

    @Option(help: ArgumentHelp("With --self-managed: the MutatingWebhookConfiguration.", valueName: "name"))
    var webhook = "postern-injector"

    @Option(
        help: ArgumentHelp(
            "With --self-managed: for how long a certificate is made; it is renewed when a third is left.",
            valueName: "duration"))
    var certificateLifetime = LifetimeArgument(days: 90)

    @Option(
        help: ArgumentHelp(
            "With --self-managed: the API server, such as https://10.0.0.1:6443; outside of a pod.", valueName: "URL"))
    var server: String?

    @Option(help: ArgumentHelp("With --server: its authorities, PEM.", valueName: "file"))
    var serverCA: String?

    @Option(help: ArgumentHelp("With --server: the file of the token.", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("With --server: the namespace of the Secret.", valueName: "name"))
    var namespace = "postern-system"

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

    func origin() throws(BadInput) -> CertificateOrigin {
        guard selfManaged else { return .files(try paths()) }
        do throws(APIFault) {
            let server =
                if let server {
                    try APIServer(url: server, authorities: serverCA, tokenFile: tokenFile, namespace: namespace)
                } else {
                    try APIServer.inCluster()
                }
            return .selfManaged(
                SelfManagement(
                    client: APIClient(
                        server, userAgent: "postern-injector/\(BuildInfo.version)", patienceMilliseconds: 10_000),
                    secretName: certificateSecret, webhookName: webhook, lifetimeSeconds: certificateLifetime.seconds,
                    clientAuthorities: clientCA))
        } catch {
            throw BadInput("--self-managed: \(error)")
        }
    }

    func paths() throws(BadInput) -> CertificatePaths {
        guard let certificate, let privateKey else {
            throw BadInput("--certificate and --private-key are needed, or --self-managed")
        }
        return CertificatePaths(certificate: certificate, privateKey: privateKey, clientAuthorities: clientCA)
    }

    func validate() throws {
        guard clientName.isEmpty || clientCA != nil else {
            throw ValidationError("--client-name goes with --client-ca")
        }
        guard !selfManaged || (certificate == nil && privateKey == nil) else {
            throw ValidationError("--self-managed does not go with --certificate and --private-key")
        }
        guard server != nil || (serverCA == nil && tokenFile == nil) else {
            throw ValidationError("--server-ca and --token-file go with --server")
        }
    }
}

/// A time from ten seconds to ten years.
struct LifetimeArgument: ExpressibleByArgument, CustomStringConvertible {
    let seconds: Int64
    let description: String

    init(days: Int64) {
        seconds = days * 86_400
        description = "\(days)d"
    }

    init?(argument: String) {
        let units: [Substring: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), number <= 1 << 30, let unit = units[argument.dropFirst(digits.count)],
            (10...3_650 * 86_400).contains(number * unit)
        else { return nil }
        seconds = number * unit
        description = argument
    }
}
