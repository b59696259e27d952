import ArgumentParser
import Commands
import Glibc
import Kubernetes
import Policy
import Settings
import System

struct PolicyImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a policy of Linkerd's or Istio's policies for a workload.",
        discussion: """
            Reads Kubernetes YAML or JSON with Linkerd's Server, AuthorizationPolicy, MeshTLSAuthentication and \
            NetworkAuthentication, or with Istio's AuthorizationPolicy, and prints the `policies` section for the \
            workload's proxy. What cannot be expressed is refused with file, line and column; what is printed never \
            allows more than its source. Where it allows less, and what was passed over, goes to standard error.
            Exit codes: 0 done, 1 the output cannot be written, 2 the input is refused, and nothing is written.
            """)

    @Argument(help: ArgumentHelp("The objects, or - for standard input.", valueName: "file"))
    var path = "-"

    @Option(help: ArgumentHelp("The workload's namespace.", valueName: "name"))
    var namespace: String

    @Option(
        help: ArgumentHelp(
            "The labels of its pods, such as app=orders; !canary says that there is no such label.",
            valueName: "labels"))
    var labels = ""

    @Option(
        help: ArgumentHelp(
            "The port of the application that the policy is for. Linkerd needs it, and rules of Istio's that depend on "
                + "ports.", valueName: "port"))
    var port: UInt16?

    @Flag(
        help: ArgumentHelp(
            "In place of --port: the policy is for a transparent listener, which sees the application's ports, and "
                + "its rules name them."))
    var transparent = false

    @Option(help: ArgumentHelp("What the pod calls that port, for Servers that name it.", valueName: "name"))
    var portName: String?

    @Option(help: ArgumentHelp("The trust domain of the SVIDs.", valueName: "name"))
    var trustDomain: String

    @Option(
        help: ArgumentHelp(
            "The trust domain of Istio's mesh, which becomes that of --trust-domain. Needed where a principal names "
                + "another one than cluster.local, or a prefix.", valueName: "name"))
    var meshTrustDomain: String?

    @Option(
        help: ArgumentHelp(
            "One of Istio's trustDomainAliases; may be given several times.", valueName: "name"))
    var trustDomainAlias: [String] = []

    @Option(
        help: ArgumentHelp(
            "A trust domain that is none of the mesh's, and may be denied by name; may be given several times.",
            valueName: "name"))
    var foreignTrustDomain: [String] = []

    @Option(help: ArgumentHelp("How Linkerd's identities end.", valueName: "domain"))
    var linkerdDomain = "identity.linkerd.cluster.local"

    @Option(help: ArgumentHelp("The path of the SVIDs' identities.", valueName: "path"))
    var identityFormat = IdentityNaming.defaultFormat

    @Option(
        help: ArgumentHelp(
            "Istio's root namespace, mostly istio-system. Needed where the input has policies of other namespaces.",
            valueName: "name"))
    var rootNamespace: String?

    @Option(
        help: ArgumentHelp(
            "The revision of Istio's control plane that the workload has, and its tags, such as 1-29,prod; !canary "
                + "says that canary is none of them. Needed where a policy has the label istio.io/rev.",
            valueName: "names"))
    var revision: String?

    @Option(help: ArgumentHelp("Linkerd's clusterNetworks, such as 10.0.0.0/8,fd00::/8.", valueName: "blocks"))
    var clusterNetworks = ""

    @Option(help: ArgumentHelp("The name of the policy that is made.", valueName: "name"))
    var name = "imported"

    func run() throws {
        let text = try ManifestFile.read(path, bytesAtMost: PolicyImport.bytesAtMost)
        let reader = try policyImport()
        let imported: ImportedPolicy
        do throws(PolicyImportRefusal) {
            imported = try reader.policy(text, file: path)
        } catch {
            Console.complain(error.flaws)
            throw ExitCode.badInput
        }
        Console.complain(imported.notes)
        guard Console.write(bytes: Array(imported.text.utf8)) else {
            Console.complain("standard output cannot be written: \(systemMessage(errno))")
            throw ExitCode.failure
        }
    }

    private func policyImport() throws -> PolicyImport {
        guard let known = KnownLabels(parsing: labels) else {
            throw BadInput("--labels \(quoted(labels)): write them as app=orders,tier=web,!canary")
        }
        guard port != 0 else { throw BadInput("--port is a number from 1 to 65535") }
        guard port == nil || !transparent else { throw BadInput("give either --port or --transparent") }
        let ports = port.map(ImportPorts.one) ?? (transparent ? .transparent : .unknown)
        let target = ImportTarget(
            namespace: namespace, labels: known, ports: ports, portName: portName, identities: try naming(),
            rootNamespace: rootNamespace, revisions: try revisions(), clusterNetworks: try networks())
        guard let result = PolicyImport(target: target, name: name) else {
            throw BadInput("--namespace, --root-namespace and --name are names such as orders")
        }
        return result
    }

    private func revisions() throws -> KnownRevisions {
        guard let revision else { return KnownRevisions() }
        guard let revisions = KnownRevisions(parsing: revision) else {
            throw BadInput("--revision \(quoted(revision)): write them as 1-29,prod,!canary")
        }
        return revisions
    }

    private func naming() throws -> IdentityNaming {
        do throws(ImportOptionFlaw) {
            return try IdentityNaming(
                trustDomain: trustDomain, meshTrustDomain: meshTrustDomain, aliases: trustDomainAlias,
                foreign: foreignTrustDomain, linkerdDomain: linkerdDomain, format: identityFormat)
        } catch {
            throw BadInput("\(error)")
        }
    }

    private func networks() throws -> [CIDR] {
        try clusterNetworks.split(separator: ",").map { text in
            let text = text.filter { $0 != " " }
            do throws(CIDRFlaw) {
                return try CIDR(parsing: text)
            } catch {
                throw BadInput("--cluster-networks \(quoted(text)): \(error)")
            }
        }
    }
}
