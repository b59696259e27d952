import Identity
import Kubernetes
import Policy
import Settings
import Testing

/// A workload of `foo` with the label `app: httpbin` whose policies are imported.
struct Importing {
    var namespace = "foo"
    var labels = "app=httpbin"
    /// Nil: the listener is transparent, unless ``isPlain``.
    var port: UInt16?
    var portName: String?
    var isPlain = false
    var trustDomain = "example.org"
    var meshTrustDomain: String? = "cluster.local"
    var aliases: [String] = []
    var foreign: [String] = []
    var rootNamespace: String? = "istio-system"
    var revisions = "stable,!canary"
    var format = IdentityNaming.defaultFormat
    var clusterNetworks: [String] = []

    func callAsFunction(_ yaml: String) throws -> ImportedPolicy {
        let naming = try IdentityNaming(
            trustDomain: trustDomain, meshTrustDomain: meshTrustDomain, aliases: aliases, foreign: foreign,
            format: format)
        let target = ImportTarget(
            namespace: namespace, labels: try #require(KnownLabels(parsing: labels)),
            ports: port.map(ImportPorts.one) ?? (isPlain ? .unknown : .transparent), portName: portName,
            identities: naming, rootNamespace: rootNamespace,
            revisions: try #require(KnownRevisions(parsing: revisions)),
            clusterNetworks: try clusterNetworks.map { try CIDR(parsing: $0) })
        let reader = try #require(PolicyImport(target: target, name: "p"))
        return try reader.policy(Array(yaml.utf8), file: "m.yaml")
    }

    /// The flaws of what is refused; empty where it is not.
    func flaws(_ yaml: String) throws -> [String] {
        do {
            _ = try self(yaml)
            return []
        } catch let refusal as PolicyImportRefusal {
            return refusal.flaws.map(\.description)
        }
    }
}

extension ImportedPolicy {
    /// The policy that the settings read from the text.
    func reread() throws -> Policy {
        let settings =
            text + """
                identity:
                  files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: bundle.pem}}
                listeners:
                  - name: in
                    mode: inbound
                    bind: 127.0.0.1:15443
                    routes: [{name: app, upstream: {endpoints: ["127.0.0.1:8080"]}, policy: p}]

                """
        let outcome = Settings.parse(text: Array(settings.utf8), file: "s.yaml")
        let read = try #require(outcome.settings, "\(outcome.flaws)\n\(text)")
        return try #require(read.policies.first)
    }

    func allows(_ identity: String, from source: String = "10.1.2.3", to port: UInt16 = 80) throws -> Bool {
        let request = Request(
            identity: try SPIFFEID(parsing: identity), source: try #require(IPAddress(parsing: source)),
            destinationPort: port, serverName: nil)
        return policy.decide(request).forwards
    }
}

/// One row of a table: a peer, and whether the source lets it in. Service accounts are `NAMESPACE/NAME`.
struct Verdict: CustomTestStringConvertible, Sendable {
    let identity: String
    var source = "10.1.2.3"
    var port: UInt16 = 80
    let isAllowed: Bool

    static func allowed(_ peer: String, from source: String = "10.1.2.3", to port: UInt16 = 80) -> Verdict {
        Verdict(identity: identity(peer), source: source, port: port, isAllowed: true)
    }

    static func refused(_ peer: String, from source: String = "10.1.2.3", to port: UInt16 = 80) -> Verdict {
        Verdict(identity: identity(peer), source: source, port: port, isAllowed: false)
    }

    private static func identity(_ peer: String) -> String {
        guard !peer.hasPrefix("spiffe://") else { return peer }
        let parts = peer.split(separator: "/")
        return "spiffe://example.org/ns/\(parts[0])/sa/\(parts[1])"
    }

    var testDescription: String { "\(identity) from \(source) to \(port): \(isAllowed ? "allowed" : "refused")" }
}

/// Policies of a mesh, and what its documentation says that they do.
struct ImportCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let yaml: String
    let verdicts: [Verdict]
    var importing = Importing()

    init(_ name: String, _ yaml: String, _ verdicts: [Verdict], _ importing: Importing = Importing()) {
        (testDescription, self.yaml, self.verdicts, self.importing) = (name, yaml, verdicts, importing)
    }

    func check() throws {
        let imported = try importing(yaml)
        #expect(try imported.reread() == imported.policy, "\(imported.text)")
        for verdict in verdicts {
            let isAllowed = try imported.allows(verdict.identity, from: verdict.source, to: verdict.port)
            #expect(isAllowed == verdict.isAllowed, "\(verdict.testDescription)\n\(imported.text)")
        }
    }
}
