import Kubernetes
import PosternTesting
import Settings
import Testing

@Suite("What is not imported")
struct PolicyImportRefusalTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let yaml: String
        /// What the message holds.
        let complaint: String
        var importing = Importing()

        init(_ name: String, _ yaml: String, _ complaint: String, _ importing: Importing = Importing()) {
            (testDescription, self.yaml, self.complaint, self.importing) = (name, yaml, complaint, importing)
        }
    }

    @Test(
        "is refused with its place and a remedy",
        arguments: istio + choices + conflicts + linkerd + labels + versions + yaml)
    func refusals(_ sample: Sample) throws {
        let flaws = try sample.importing.flaws(sample.yaml)
        #expect(flaws.contains { $0.contains(sample.complaint) && $0.hasPrefix("m.yaml:") }, "\(flaws)")
        #expect(flaws.allSatisfy { $0.contains(": error: ") })
    }

    private static func rule(_ rule: String) -> String { IstioImportTests.policy("rules:\n- \(rule)") }

    private static func source(_ source: String) -> String { rule("from: [{source: {\(source)}}]") }

    private static func operation(_ operation: String) -> String { rule("to: [{operation: {\(operation)}}]") }

    private static let istio: [Sample] = [
        Sample("paths", operation("paths: ['/a']"), "m.yaml:9:23: error: `paths` cannot be expressed: Postern decides"),
        Sample("methods", operation("ports: ['80'], methods: [GET]"), "`methods` cannot be expressed"),
        Sample("hosts, and none of them", operation("ports: ['80'], notHosts: []"), "`notHosts` cannot be expressed"),
        Sample("tokens", source("requestPrincipals: ['*']"), "`requestPrincipals` cannot be expressed"),
        Sample("addresses of headers", source("remoteIpBlocks: ['10.0.0.0/8']"), "`remoteIpBlocks` cannot"),
        Sample(
            "a misspelt key", source("principal: [a]"), "unknown key `principal`, which may be a condition; did you"),
        Sample("a key of tomorrow", rule("{from: [], until: x}"), "unknown key `until`"),
        Sample("an empty source", source(""), "the source is empty"),
        Sample("an empty operation", operation(""), "the operation is empty"),
        Sample("no source", rule("from: [{}]"), "has no `source`"),
        Sample("an empty list of sources", rule("from: []"), "`from` is empty"),
        Sample(
            "an empty list of principals", source("principals: []"), "`principals` is empty, which restricts nothing"),
        Sample("an empty principal", source("principals: ['']"), "a principal must be text"),
        Sample("an empty rule that is null", IstioImportTests.policy("rules: [null]"), "a rule must be a mapping"),
        Sample(
            "a part of a segment", source("principals: ['cluster.local/ns/foo/sa/a*']"),
            "a star stands for whole segments"),
        Sample("a suffix of a segment", source("principals: ['*-admin']"), "a star stands for whole"),
        Sample("a star inside", source("principals: ['cluster.local/ns/*/sa/a']"), "a star stands for whole"),
        Sample("a scheme", source("principals: ['spiffe://cluster.local/ns/a/sa/b']"), "leave `spiffe://` out"),
        Sample("no identity", source("principals: ['admin']"), "a star stands for whole segments"),
        Sample("a part of a namespace", source("namespaces: ['dev-*']"), "write each namespace in full"),
        Sample("a service account of three parts", source("serviceAccounts: ['a/b/c']"), "cannot be expressed"),
        Sample(
            "a service account with a dot, which are many to refuse",
            IstioImportTests.policy("action: DENY\nrules: [{from: [{source: {serviceAccounts: [web.x]}}]}]"),
            "Istio takes a dot in `web.x` for any character"),
        Sample(
            "all but a service account with a dot", source("notServiceAccounts: [foo/web.x]"),
            "Istio takes a dot in `foo/web.x` for any character"),
        Sample("no address", source("ipBlocks: ['10.0.0.0/33']"), "address block `10.0.0.0/33`"),
        Sample("no port", operation("ports: ['http']"), "`http` is no port"),
        Sample("the port 0", operation("ports: ['0']"), "`0` is no port"),
        Sample("a range of ports", operation("ports: ['80-81']"), "`80-81` is no port"),
        Sample(
            "a condition of requests", rule("when: [{key: 'request.headers[a]', values: [b]}]"),
            "the condition `request.headers[a]` cannot be expressed; those that can are"),
        Sample(
            "a server name", rule("when: [{key: connection.sni, values: [b]}]"), "`connection.sni` cannot"),
        Sample("a condition without values", rule("when: [{key: source.ip}]"), "neither `values` nor `notValues`"),
        Sample("CUSTOM", IstioImportTests.policy("action: CUSTOM\nprovider: {name: a}"), "the action CUSTOM asks"),
        Sample("an action that is none", IstioImportTests.policy("action: Deny"), "not `Deny`"),
        Sample("a waypoint", IstioImportTests.policy("targetRefs: [{kind: Service, name: a}]"), "`targetRefs` cannot"),
        Sample(
            "match expressions", IstioImportTests.policy("selector: {matchExpressions: []}"),
            "unknown key `matchExpressions`"),
        Sample(
            "a label that is not known", IstioImportTests.policy("selector: {matchLabels: {version: v1}}"),
            "m.yaml:8:13: error: whether this selects the workload depends on its label `version`: say it with "
                + "`--labels version=VALUE`, or `--labels '!version'`"),
        Sample(
            "a dry run that is neither",
            IstioImportTests.policy("{}").replacing(
                "name: a", with: "name: a\n  annotations: {istio.io/dry-run: \"maybe\"}"), "neither true nor false"),
        Sample(
            "two dry runs",
            IstioImportTests.policy("{}").replacing(
                "name: a", with: "name: a\n  annotations: {istio.io/dry-run: 'false', istio.io/dry-run: 'true'}"),
            "a second key `istio.io/dry-run`"),
        Sample(
            "tokens of requests",
            "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: a, namespace: foo}\n",
            "a RequestAuthentication is about tokens"),
        Sample(
            "an unknown kind", "apiVersion: security.istio.io/v1\nkind: Other\nmetadata: {name: a}\n",
            "the kind `Other` of security.istio.io is not known"),
        Sample(
            "an unknown version", "apiVersion: security.istio.io/v9\nkind: AuthorizationPolicy\nmetadata: {name: a}\n",
            "the version `security.istio.io/v9` is not known"),
        Sample(
            "Istio's old policies", "apiVersion: rbac.istio.io/v1alpha1\nkind: ServiceRole\nmetadata: {name: a}\n",
            "the version `rbac.istio.io/v1alpha1` is not known"),
        Sample(
            "two policies of one name", IstioImportTests.policy("rules: [{}]") + IstioImportTests.policy("{}"),
            "m.yaml:10:1: error: a second AuthorizationPolicy foo/a: leave one out"),
        Sample("no policy at all", "apiVersion: v1\nkind: Pod\n", "no policy of Istio or Linkerd is for the workload"),
        Sample(
            "a policy for others only", IstioImportTests.policy("rules: [{}]", namespace: "bar"),
            "no policy of Istio or Linkerd is for the workload, which by default lets everyone in"),
    ]

    private static func principals(_ principal: String, _ more: String = "") -> String {
        IstioImportTests.policy("\(more)\nrules: [{from: [{source: {principals: ['\(principal)']}}]}]")
    }

    /// What depends on options that are not given.
    private static let choices: [Sample] = [
        Sample(
            "a port of which listener", operation("ports: ['80']"),
            "m.yaml:9:30: error: this depends on the application's port", Importing(isPlain: true)),
        Sample(
            "all ports but one", operation("notPorts: ['80']"), "or with `--transparent`", Importing(isPlain: true)),
        Sample(
            "a port in a condition", rule("when: [{key: destination.port, values: ['80']}]"), "say with `--port`",
            Importing(isPlain: true)),
        Sample(
            "a trust domain that may be the mesh's", principals("prod.mesh/ns/bar/sa/a"),
            "say it with `--mesh-trust-domain prod.mesh`", Importing(meshTrustDomain: nil)),
        Sample(
            "a prefix, which Istio does not migrate", principals("cluster.local/ns/bar/*"),
            "say it with `--mesh-trust-domain cluster.local`", Importing(meshTrustDomain: nil)),
        Sample(
            "a trust domain that may be foreign, with the name of the SVIDs'", principals("example.org/ns/bar/sa/a"),
            "say it with `--mesh-trust-domain example.org`", Importing(meshTrustDomain: nil)),
        Sample(
            "a denial of another trust domain", principals("prod.mesh/ns/bar/sa/a", "action: DENY"),
            "this would refuse nobody of the mesh"),
        Sample(
            "a denial of an alias that is not said", principals("prod.mesh/ns/bar/*", "action: DENY"),
            "or `--trust-domain-alias`, and if it is none, with `--foreign-trust-domain prod.mesh`"),
        Sample(
            "all but some of another trust domain", source("notPrincipals: ['prod.mesh/ns/bar/sa/a']"),
            "this would refuse nobody of the mesh"),
        Sample(
            "the same in a condition", rule("when: [{key: source.principal, notValues: ['prod.mesh/ns/bar/sa/a']}]"),
            "this would refuse nobody of the mesh"),
        Sample(
            "a foreign trust domain with the name of the SVIDs'", principals("example.org/ns/bar/sa/a"),
            "those that this names would become the mesh's own"),
        Sample(
            "all of a foreign trust domain with the name of the SVIDs'", principals("example.org/*"),
            "`example.org` is not the mesh's trust domain, cluster.local"),
        Sample(
            "a prefix of an alias with the name of the SVIDs'", principals("old.test/ns/bar/*"),
            "would become the mesh's own",
            Importing(trustDomain: "old.test", meshTrustDomain: "new.test", aliases: ["old.test"])),
        Sample(
            "a revision",
            IstioImportTests.policy("rules: [{}]").replacing(
                "name: a", with: "name: a\n  labels: {istio.io/rev: prod}"),
            "say with `--revision prod` that it is the workload's, or a tag of it, and with `--revision '!prod'`"),
        Sample(
            "another namespace, which may be the root",
            IstioImportTests.policy("rules: [{}]") + IstioImportTests.policy("{}", namespace: "istio-config"),
            "m.yaml:10:1: error: this is for all workloads if istio-config is Istio's root namespace",
            Importing(rootNamespace: nil)),
    ]

    private static let conflicts: [Sample] = [
        Sample(
            "who one rule excludes and another allows",
            IstioImportTests.policy(
                "rules:\n- from: [{source: {notNamespaces: [dev]}}]\n- to: [{operation: {ports: ['80']}}]"),
            "m.yaml:9:5: error: what this rule excludes, AuthorizationPolicy foo/a, rules[1] at line 10 allows"),
        Sample(
            "who one source of a rule excludes and another allows",
            rule("from: [{source: {notNamespaces: [dev]}}, {source: {ipBlocks: ['10.0.0.0/8']}}]"),
            "what this rule excludes, another part of it allows"),
        Sample(
            "a denial of some of a namespace",
            IstioImportTests.policy("rules: [{}]")
                + IstioImportTests.policy(
                    "action: DENY\nrules: [{from: [{source: {namespaces: [bar], "
                        + "notPrincipals: ['cluster.local/ns/bar/sa/a']}}]}]", name: "b"),
            "a DENY rule with both identities and exclusions"),
    ]

    private static func server(_ more: String = "", port: String = "service") -> String {
        LinkerdImportTests.server(more, port: port)
    }

    private static func reference(_ reference: String, target: String? = nil) -> String {
        server()
            + (target.map { LinkerdImportTests.policy("[\(reference)]", target: $0) }
                ?? LinkerdImportTests.policy("[\(reference)]"))
    }

    private static let account = "{kind: ServiceAccount, name: a}"
    private static let mesh = "{name: mesh, kind: MeshTLSAuthentication, group: policy.linkerd.io}"
    private static let network = "{name: net, kind: NetworkAuthentication, group: policy.linkerd.io}"

    private static func identities(_ spec: String) -> String {
        reference(mesh) + LinkerdImportTests.object("MeshTLSAuthentication", "mesh", spec)
    }

    private static func networks(_ spec: String) -> String {
        reference(network) + LinkerdImportTests.object("NetworkAuthentication", "net", spec)
    }

    private static let linkerd: [Sample] = [
        row(
            "no port", server(), "with `--port` which one", Importing(namespace: "booksapp", labels: "app=authors")),
        row(
            "a port by a name that is not known", server(), "say with `--port-name` what the pod calls the port 7001",
            Importing(namespace: "booksapp", labels: "app=authors", port: 7001)
        ),
        row("a port in quotes", server(port: "'7001'"), "the port is in quotes", nil),
        row("a port that a tag makes text", server(port: "!!str 7001"), "the port has a tag", nil),
        row("a port with a tag", server(port: "! 7001"), "the port has a tag", nil),
        row("a port with the tag of another number", server(port: "!!float 7001"), "the port has a tag", nil),
        row("a port with a tag of nobody", server(port: "!port 7001"), "the port has a tag", nil),
        row("no Server", server(port: "7002"), "no Server selects this port", nil),
        row(
            "two Servers",
            server() + LinkerdImportTests.object("Server", "b", "podSelector: {}\nport: 7001", version: "v1beta3"),
            "Server booksapp/authors select the same port", nil
        ),
        row(
            "a label that is not known", server(),
            "m.yaml:6:16: error: whether this selects the workload depends on its "
                + "label `app`", Importing(namespace: "booksapp", labels: "", port: 7001, portName: "service")
        ),
        row(
            "an access policy of the cluster", server("accessPolicy: cluster-authenticated"), "`--cluster-networks`",
            nil),
        row("an access policy that is none", server("accessPolicy: open"), "`open` is no access policy", nil),
        row("a key of tomorrow", server("clients: none"), "unknown key `clients`", nil),
        row("no references", server() + LinkerdImportTests.policy("null"), "has no `requiredAuthenticationRefs`", nil),
        row(
            "what is not there", reference(mesh), "the MeshTLSAuthentication `mesh` of the namespace `booksapp` is not",
            nil),
        row("a network that is not there", reference(network), "the NetworkAuthentication `net` of the namespace", nil),
        row("two identities", reference("\(account), \(account)"), "a second authentication of a kind", nil),
        row("a reference of another kind", reference("{kind: Secret, name: a}"), "`Secret` is no authentication", nil),
        row(
            "a target of another kind", reference(account, target: "{kind: Service, name: a}"),
            "`Service` is no target",
            nil
        ),
        row(
            "another namespace as the target", reference(account, target: "{kind: Namespace, name: a}"),
            "the namespace can only be the policy's own", nil
        ),
        row(
            "a route as the target", reference(account, target: "{group: policy.linkerd.io, kind: HTTPRoute, name: a}"),
            "this is for requests of the route `a`", nil
        ),
        row(
            "a route of the Server",
            server()
                + LinkerdImportTests.object(
                    "HTTPRoute", "r", "parentRefs: [{group: policy.linkerd.io, kind: Server, name: authors}]",
                    version: "v1beta3"), "this route of Server booksapp/authors is about requests", nil
        ),
        row(
            "a ServerAuthorization", server() + LinkerdImportTests.object("ServerAuthorization", "s", "{}"),
            "a ServerAuthorization is not imported", nil
        ),
        row(
            "a ServerAuthorization for the Server",
            server() + LinkerdImportTests.object("ServerAuthorization", "s", "server: {name: authors}"),
            "a ServerAuthorization is not imported", nil
        ),
        row(
            "a ServerAuthorization for Servers by their labels",
            server() + LinkerdImportTests.object("ServerAuthorization", "s", "server: {name: a, selector: {}}"),
            "a ServerAuthorization is not imported", nil
        ),
        row("the same object twice", server() + server(), "a second Server booksapp/authors", nil),
        row("no identities", identities("identities: []"), "it names no identity", nil),
        row("an identity of no mesh", identities("identities: [books]"), "`books` is no identity of the mesh", nil),
        row(
            "an identity of another mesh",
            identities("identities: ['a.b.serviceaccount.identity.linkerd.other.test']"), "is no identity of the mesh",
            nil
        ),
        row("a star without a dot", identities("identities: ['*local']"), "`*local` is no identity of the mesh", nil),
        row(
            "a part of a name", identities("identities: ['*.a.b.serviceaccount.identity.linkerd.cluster.local']"),
            "is no identity of the mesh", nil
        ),
        row(
            "a SPIFFE ID", identities("identities: ['spiffe://a/b']"), "`spiffe://a/b` is no identity", nil),
        row("no networks", networks("networks: []"), "`networks` is empty", nil),
        row(
            "a network without a block", networks("networks: [{except: [10.0.0.0/8]}]"), "has no `cidr`", nil),
        row(
            "both meshes",
            server() + IstioImportTests.policy("rules: [{}]", namespace: "booksapp"),
            "policies of both Istio and Linkerd are for the workload", nil
        ),
        row(
            "an expression that is none",
            LinkerdImportTests.object(
                "Server", "a",
                "podSelector: {matchExpressions: [{key: app, operator: Exists, values: [a]}]}\nport: 7001",
                version: "v1beta3"),
            "a match expression is `In` or `NotIn` with values", nil
        ),
    ]

    private static func route(_ parent: String) -> String {
        server("accessPolicy: all-authenticated")
            + LinkerdImportTests.object("HTTPRoute", "r", "parentRefs: [\(parent)]", version: "v1beta3")
    }

    private static let labels: [Sample] = [
        "{010: httpbin}", "{on: httpbin}", "{0x10: httpbin}", "{1_0: httpbin}", "{1e3: httpbin}", "{-.INF: httpbin}",
        "{Y: httpbin}", "{0o7: httpbin}", "{app: 010}", "{app: !!str 1, 8: httpbin}",
    ].map {
        let yaml = IstioImportTests.policy("action: DENY\nselector: {matchLabels: \($0)}")
        return Sample($0, yaml, "may be another one, because YAML does not take it for text: write it in quotes")
    }

    private static let versions: [Sample] = [
        row(
            "an access policy that the version does not have",
            LinkerdImportTests.server("accessPolicy: all-authenticated", version: "v1beta1"),
            "unknown key `accessPolicy`", nil),
        row(
            "an external workload that the version does not have",
            LinkerdImportTests.object(
                "Server", "a", "externalWorkloadSelector: {}\nport: 7001", version: "v1beta1"),
            "unknown key `externalWorkloadSelector`", nil),
        row(
            "a policy of a Server's version",
            LinkerdImportTests.object("AuthorizationPolicy", "a", "{}", version: "v1beta3"),
            "the version `policy.linkerd.io/v1beta3` is not known; of this AuthorizationPolicy those are: v1alpha1", nil
        ),
        row(
            "a Server of a policy's version", LinkerdImportTests.object("Server", "a", "{}"),
            "the version `policy.linkerd.io/v1alpha1` is not known", nil),
        row(
            "a route of the Server, by the default group", route("{kind: Server, name: authors}"),
            "this route of Server booksapp/authors", nil),
        row(
            "a route of the Server, in other letters", route("{group: Policy.Linkerd.io, kind: server, name: authors}"),
            "this route of Server booksapp/authors", nil),
        row(
            "a route of an unknown parent", route("{kind: Cluster, name: authors}"), "is no parent of a route", nil),
        row(
            "a name in capitals", route("{kind: Server, name: Authors}"), "`Authors` is no name of Kubernetes's", nil),
        row("a hexadecimal port", server(port: "0x1b59"), "may be a number or a name", nil),
        row("a port with an underscore", server(port: "7_001"), "may be a number or a name", nil),
        row("an octal port", server(port: "015531"), "may be a number or a name", nil),
        row("a port with an exponent", server(port: "7e3"), "may be a number or a name", nil),
    ]

    private static func row(_ name: String, _ yaml: String, _ complaint: String, _ importing: Importing?) -> Sample {
        Sample(name, yaml, complaint, importing ?? LinkerdImportTests.importing)
    }

    private static let yaml: [Sample] = [
        Sample("no YAML", "a: [}", "not YAML"),
        Sample("a list for an object", "- a", "expected a Kubernetes object"),
        Sample("no kind", "a: b", "an object needs `apiVersion` and `kind`"),
        Sample(
            "a key twice", rule("{}").replacing("spec:", with: "kind: AuthorizationPolicy\nspec:"),
            "a second key `kind`"),
        Sample("a list twice", source("principals: ['*'], principals: [a]"), "a second `principals` in a source"),
        Sample("a merge key", source("<<: {namespaces: [a]}"), "a key of a source is not plain text"),
        Sample("a key that is an alias", source("principals: [&a x], *a : [b]"), "a key of a source is not plain text"),
        Sample("base64", source("principals: [!!binary Kg==]"), "a principal has a tag"),
        Sample("a number", source("namespaces: [!!float 10]"), "a namespace has a tag, by which it may be other text"),
        Sample(
            "a selector that a tag makes text", IstioImportTests.policy("selector: !text ~\nrules: [{}]"),
            "the selector must be a mapping"),
        Sample("base64 for a key", source("!!binary cGF0aHM=: [a]"), "a key with a tag"),
        Sample("a spec that is an alias of nothing", rule("*nothing"), "the alias `*nothing` has no anchor"),
        Sample(
            "a name with a line break", rule("{}").replacing("name: a", with: "name: \"a\\nb: c\""), "name or namespace"
        ),
        Sample(
            "a kind with a line break",
            "apiVersion: policy.linkerd.io/v1beta1\nkind: \"Server\\n\"\nmetadata: {name: a}\n", "name or namespace"),
        Sample(
            "more than may be", source("namespaces: [\(Array(repeating: "a", count: 600).joined(separator: ", "))]"),
            "has more than 512 items"),
        Sample("too many combinations", bomb, "make more than 512 rules"),
        Sample("too many exclusions", exclusions, "too many values to combine"),
        Sample("items of what is no list", rule("{}") + "items: []\n", "is no list, and has `items`"),
        Sample(
            "a group in other letters", rule("{}").replacing("security.istio", with: "Security.istio"),
            "`Security.istio.io` is no group: did you mean `security.istio.io`?"),
        Sample("a generated name", rule("{}").replacing("name: a", with: "generateName: a"), "has no `name`"),
        Sample("half a pair of surrogates", #"{"kind": "\ud83d"}"#, "invalid Unicode character escape code"),
        Sample("JSON documents without a break", "{}\n{}", "write `---` between documents"),
        Sample(
            "a merge key that may be the kind", "apiVersion: v1\n<<: {kind: List}\n",
            "a key that is not plain text may be `kind`"),
        Sample(
            "a merge key that hides a list", "apiVersion: v1\nkind: ConfigMap\n<<: [{a: b}, {items: []}]\n",
            "a key that is not plain text may be `items`"),
        Sample("a block of mapped addresses", source("ipBlocks: ['::ffff:10.0.0.0/104']"), "did you mean 10.0.0.0/8?"),
        Sample(
            "a label without value", IstioImportTests.policy("selector: {matchLabels: {app: null}}"),
            "a label's value must be text"),
        Sample("a range of one port", operation("ports: ['80-80']"), "`80-80` is no port"),
        Sample(
            "a merge key of labels", IstioImportTests.policy("selector: {matchLabels: {<<: {app: a}}}"), "a merge key"),
    ]

    /// Without a limit, hours.
    private static var exclusions: String {
        let conditions = (0..<30).map { number in
            let names = (0..<512).map { "cluster.local/ns/n\(number)/sa/a\($0)" }.joined(separator: ", ")
            return "{key: source.principal, notValues: [\(names)]}"
        }
        return rule("when: [\(conditions.joined(separator: ", "))]")
    }

    private static var bomb: String {
        let from = (0..<100).map { "{source: {namespaces: [n\($0)]}}" }.joined(separator: ", ")
        let to = (1...100).map { "{operation: {ports: ['\($0)']}}" }.joined(separator: ", ")
        return rule("{from: [\(from)], to: [\(to)]}")
    }

    @Test("all flaws are reported at once")
    func allFlaws() throws {
        let yaml =
            Self.operation("paths: ['/a']")
            + IstioImportTests.policy("action: CUSTOM", name: "b")
        #expect(try Importing().flaws(yaml).count == 2)
    }

    @Test("options that are none are refused")
    func options() throws {
        #expect(KnownLabels(parsing: "app") == nil && KnownLabels(parsing: "app=a,app=b") == nil)
        #expect(KnownLabels(parsing: "!app=a") == nil && KnownLabels(parsing: "=a") == nil)
        #expect(throws: ImportOptionFlaw.notATrustDomain("*")) { try IdentityNaming(trustDomain: "*") }
        #expect(throws: ImportOptionFlaw.notATrustDomain("a/b")) { try IdentityNaming(trustDomain: "a/b") }
        #expect(throws: ImportOptionFlaw.notForeign("a.test")) {
            try IdentityNaming(trustDomain: "example.org", aliases: ["a.test"], foreign: ["a.test"])
        }
        for format in [
            "", "/ns/{namespace}", "/{namespace}/{namespace}/{name}", "/*/{namespace}/{name}", "/a{namespace}/{name}",
            "{namespace}/{name}", "/{namespace}//{name}",
        ] {
            #expect(throws: ImportOptionFlaw.notAFormat(format)) {
                try IdentityNaming(trustDomain: "example.org", format: format)
            }
        }
    }

    @Test("garbage is refused or imported, and never ends the process", arguments: 0..<2)
    func garbage(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let texts = (Self.istio + Self.linkerd).map { Array($0.yaml.utf8) }
        for _ in 0..<1_000 {
            var text = generator.pick(texts)
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !text.isEmpty {
                let index = Int.random(in: text.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: text[index] = UInt8.random(in: 0...255, using: &generator)
                case 1: text.remove(at: index)
                default: text.insert(generator.pick(Array("{}[]:*&'\"-\n,".utf8)), at: index)
                }
            }
            _ = try? Importing(port: 7001, portName: "service")(String(decoding: text, as: UTF8.self))
        }
    }
}
