public import ArgumentParser
import Commands
import Identity
public import Kubernetes
import Policy

struct KubernetesNamespaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "namespace",
        abstract: "Print the manifests of a namespace whose pods get a sidecar.",
        discussion: """
            They are the namespace with the label of the webhook, and the ConfigMap with the settings of the proxies: \
            callers of the same namespace are allowed in, and calls to --destinations are mutual TLS.
            """)

    @Argument(help: ArgumentHelp("Of the namespace, which may be there already.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("Of the pods' SPIFFE IDs.", valueName: "trust domain"))
    var trustDomain: String

    @Option(
        help: ArgumentHelp(
            "Where the pods and services of the mesh are, such as 10.50.0.0/16,10.96.0.0/16.", valueName: "cidrs"))
    var destinations: CommaList<CIDR>

    @Option(help: ArgumentHelp("The ports of these services and pods, such as 80,8000-8999.", valueName: "ports"))
    var ports: CommaList<PortRange>

    @Option(help: "Where identities come from: the SPIFFE CSI driver, or a Secret of each pod's annotations.")
    var identity = Enrolment.Identity.csi

    func run() throws {
        let domain: TrustDomain
        do throws(SPIFFEIDFlaw) {
            domain = try TrustDomain(parsing: trustDomain)
        } catch {
            throw BadInput("--trust-domain: \(error)")
        }
        let text: String
        do throws(ChartFlaw) {
            text = try Enrolment(
                namespace: name, trustDomain: domain.name, destinations: destinations.elements,
                ports: ports.elements, identity: identity
            ).manifests()
        } catch {
            throw BadInput(error.description)
        }
        try KubernetesOutput.write(text)
    }
}

extension Enrolment.Identity: ExpressibleByArgument {}
