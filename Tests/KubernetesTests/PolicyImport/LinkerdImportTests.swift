import Kubernetes
import Policy
import Settings
import Testing

/// Verdicts are those of Linkerd's reference page "Authorization Policy".
@Suite("An import of Linkerd's policies")
struct LinkerdImportTests {
    static let importing = Importing(namespace: "booksapp", labels: "app=authors", port: 7001, portName: "service")

    static func object(_ kind: String, _ name: String, _ spec: String, version: String = "v1alpha1") -> String {
        """
        ---
        apiVersion: policy.linkerd.io/\(version)
        kind: \(kind)
        metadata: {name: \(name), namespace: booksapp}
        spec:
        \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

        """
    }

    static func server(_ more: String = "", port: String = "service", version: String = "v1beta3") -> String {
        object(
            "Server", "authors", "podSelector: {matchLabels: {app: authors}}\nport: \(port)\n\(more)", version: version)
    }

    static func policy(_ references: String, target: String = "{group: policy.linkerd.io, kind: Server, name: authors}")
        -> String
    {
        object(
            "AuthorizationPolicy", "authors-policy", "targetRef: \(target)\nrequiredAuthenticationRefs: \(references)")
    }

    private static let mesh = "{name: mesh, kind: MeshTLSAuthentication, group: policy.linkerd.io}"
    private static let network = "{name: net, kind: NetworkAuthentication, group: policy.linkerd.io}"

    @Test("decides as the documentation of Linkerd says", arguments: cases)
    func verdicts(_ sample: ImportCase) throws { try sample.check() }

    private static let cases: [ImportCase] = [
        ImportCase(
            "a service account", server() + policy("[{name: webapp, kind: ServiceAccount}]"),
            [.allowed("booksapp/webapp"), .refused("booksapp/books"), .refused("other/webapp")], importing),
        ImportCase(
            "a service account of another namespace",
            server(port: "7001", version: "v1beta1")
                + policy("[{name: webapp, kind: ServiceAccount, group: core, namespace: other}]"),
            [.refused("booksapp/webapp"), .allowed("other/webapp")], importing),
        ImportCase("no policy", server(version: "v1beta2"), [.refused("booksapp/webapp")], importing),
        ImportCase(
            "a namespace as the target",
            server() + policy("[{name: webapp, kind: ServiceAccount}]", target: "{kind: Namespace, name: booksapp}"),
            [.allowed("booksapp/webapp"), .refused("booksapp/books")], importing),
        ImportCase(
            "another Server as the target",
            server()
                + policy(
                    "[{name: webapp, kind: ServiceAccount}]",
                    target: "{group: policy.linkerd.io, kind: Server, name: other}"), [.refused("booksapp/webapp")],
            importing),
        ImportCase(
            "identities",
            server() + policy("[\(mesh)]")
                + object(
                    "MeshTLSAuthentication", "mesh",
                    """
                    identities:
                    - "books.booksapp.serviceaccount.identity.linkerd.cluster.local"
                    - "*.front.serviceaccount.identity.linkerd.cluster.local"
                    - "a.b.dots.serviceaccount.identity.linkerd.cluster.local"
                    """),
            [
                .allowed("booksapp/books"), .refused("booksapp/webapp"), .allowed("front/any"), .allowed("dots/a.b"),
                .refused("b.dots/a"), .refused("dots/b"),
            ], importing),
        ImportCase(
            "references of identities",
            server() + policy("[\(mesh)]")
                + object(
                    "MeshTLSAuthentication", "mesh",
                    "identityRefs: [{kind: ServiceAccount, name: books}, {kind: Namespace, name: front}]"),
            [.allowed("booksapp/books"), .allowed("front/any"), .refused("front2/any")], importing),
        ImportCase(
            "all of the mesh",
            server() + policy("[\(mesh)]") + object("MeshTLSAuthentication", "mesh", "identities: ['*']"),
            [.allowed("any/any"), .refused("spiffe://partner.test/ns/any/sa/any")], importing),
        ImportCase(
            "all of the mesh, by its domain",
            server() + policy("[\(mesh)]")
                + object("MeshTLSAuthentication", "mesh", "identities: ['*.identity.linkerd.cluster.local']"),
            [.allowed("any/any")], importing),
        ImportCase(
            "identity and network, which must both match",
            server() + policy("[\(mesh), \(network)]")
                + object("MeshTLSAuthentication", "mesh", "identityRefs: [{kind: ServiceAccount, name: books}]")
                + object(
                    "NetworkAuthentication", "net",
                    "networks: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidr: '2001:db8::/32'}]"),
            [
                .allowed("booksapp/books", from: "10.2.0.1"), .refused("booksapp/books", from: "10.1.0.1"),
                .refused("booksapp/books", from: "11.0.0.1"), .allowed("booksapp/books", from: "2001:db8::1"),
                .refused("booksapp/webapp", from: "10.2.0.1"),
            ], importing),
        ImportCase(
            "a network alone, for the mesh",
            server() + policy("[\(network)]")
                + object("NetworkAuthentication", "net", "networks: [{cidr: 10.0.0.0/8}]"),
            [
                .allowed("any/any"), .refused("any/any", from: "11.0.0.1"),
                .refused("spiffe://partner.test/ns/any/sa/any"),
            ], importing),
        ImportCase(
            "a hole that another network fills",
            server() + policy("[\(network)]")
                + object(
                    "NetworkAuthentication", "net",
                    "networks: [{cidr: 10.0.0.0/8, except: [10.1.0.0/16]}, {cidr: 10.1.2.0/24}]"),
            [.allowed("any/any", from: "10.1.2.3"), .refused("any/any", from: "10.1.3.3")], importing),
        ImportCase("no authentications", server() + policy("[]"), [.allowed("any/any")], importing),
        ImportCase("an access policy", server("accessPolicy: all-authenticated"), [.allowed("any/any")], importing),
        ImportCase("the access policy deny", server("accessPolicy: deny"), [.refused("any/any")], importing),
        ImportCase(
            "the access policy audit", server("accessPolicy: audit") + policy("[{name: webapp, kind: ServiceAccount}]"),
            [.allowed("booksapp/webapp"), .allowed("any/any")], importing),
        ImportCase(
            "an access policy of the cluster", server("accessPolicy: cluster-authenticated"),
            [.allowed("any/any"), .refused("any/any", from: "11.0.0.1")],
            Importing(
                namespace: "booksapp", labels: "app=authors", port: 7001, portName: "service",
                clusterNetworks: ["10.0.0.0/8"])),
        ImportCase(
            "match expressions",
            object(
                "Server", "backends",
                """
                podSelector:
                  matchExpressions:
                  - {key: app, operator: In, values: [voting-svc, authors]}
                  - {key: environment, operator: NotIn, values: [dev]}
                  - {key: app, operator: Exists}
                  - {key: canary, operator: DoesNotExist}
                port: 7001
                proxyProtocol: "HTTP/2"
                """, version: "v1beta1")
                + policy(
                    "[{name: webapp, kind: ServiceAccount}]",
                    target: "{group: policy.linkerd.io, kind: Server, name: backends}"),
            [.allowed("booksapp/webapp"), .refused("booksapp/books")],
            Importing(namespace: "booksapp", labels: "app=authors,environment=prod,!canary", port: 7001)),
        ImportCase(
            "Servers for other pods and ports",
            server() + policy("[{name: webapp, kind: ServiceAccount}]")
                + object("Server", "b", "podSelector: {matchLabels: {app: b}}\nport: service", version: "v1beta3")
                + object("Server", "c", "podSelector: {}\nport: 7002", version: "v1beta3")
                + object("Server", "d", "externalWorkloadSelector: {}\nport: 7001", version: "v1beta3"),
            [.allowed("booksapp/webapp")], importing),
        ImportCase(
            "references in other letters",
            server()
                + policy(
                    "[{name: webapp, kind: serviceaccount, group: Core}]",
                    target: "{group: Policy.linkerd.io, kind: server, name: authors}"),
            [.allowed("booksapp/webapp"), .refused("booksapp/books")], importing),
        ImportCase(
            "what is not for the workload",
            server() + policy("[{name: webapp, kind: ServiceAccount}]")
                + object("Server", "b", "podSelector: {matchLabels: {app: b}}\nport: '9090'", version: "v1beta3")
                + object("HTTPRoute", "r", "parentRefs: [{group: gateway.networking.k8s.io, name: g}]")
                + object("WasmThing", "w", "{}").replacing("booksapp", with: "elsewhere"),
            [.allowed("booksapp/webapp")], importing),
        ImportCase(
            "a policy for a route of another Server",
            server() + policy("[{name: webapp, kind: ServiceAccount}]")
                + object(
                    "HTTPRoute", "r", "parentRefs: [{group: policy.linkerd.io, kind: Server, name: other}]",
                    version: "v1beta3")
                + policy("[]", target: "{group: policy.linkerd.io, kind: HTTPRoute, name: r}")
                .replacing("authors-policy", with: "other-policy"),
            [.allowed("booksapp/webapp"), .refused("any/any")], importing),
    ]

    @Test("says what it passes over by its name, and that nobody is allowed")
    func notes() throws {
        let other = "{group: policy.linkerd.io, kind: Server, name: other}"
        let imported = try Self.importing(
            Self.server() + Self.policy("[]", target: other)
                + Self.object("ServerAuthorization", "s", "server: {name: other}\nclient: {}"))
        #expect(
            imported.notes.map(\.message) == [
                "passed over: ServerAuthorization booksapp/s: it is for another Server",
                "passed over: AuthorizationPolicy booksapp/authors-policy: it is not for the workload's Server",
                "nobody is allowed: nothing that applies to the workload allows anybody",
            ])
    }

    @Test("says where it lets in less than Linkerd, which knows clients without identity")
    func narrowing() throws {
        let imported = try Self.importing(Self.server() + Self.policy("[]"))
        #expect(
            imported.notes.map(\.description) == [
                "m.yaml:9:1: warning: this demands no identity, so that Linkerd lets in clients without mutual "
                    + "TLS too; Postern lets in those of example.org alone"
            ])
        #expect(imported.text.contains("# narrower than its source: clients without mutual TLS are refused"))
        let request = Request(
            identity: nil, source: try #require(IPAddress(parsing: "10.1.2.3")), destinationPort: 7001, serverName: nil)
        #expect(!imported.policy.decide(request).forwards)
    }
}
