import Kubernetes
import Policy
import Settings
import Testing

/// Verdicts are those of Istio's pages: the reference "Authorization Policy" and "Authorization Policy Conditions", and
/// the tasks "TCP Traffic", "Explicit Deny" and "Trust Domain Migration".
@Suite("An import of Istio's policies")
struct IstioImportTests {
    static func policy(_ spec: String, name: String = "a", namespace: String = "foo") -> String {
        """
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata:
          name: \(name)
          namespace: \(namespace)
        spec:
        \(spec.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

        """
    }

    @Test("decides as the documentation of Istio says", arguments: cases)
    func verdicts(_ sample: ImportCase) throws { try sample.check() }

    private static let cases = basics + exclusions + combinations + choices

    private static let basics: [ImportCase] = [
        ImportCase(
            "a service account or a namespace",
            policy(
                """
                action: ALLOW
                rules:
                - from:
                  - source:
                      principals: ["cluster.local/ns/default/sa/sleep"]
                  - source:
                      namespaces: ["test"]
                """),
            [
                .allowed("default/sleep"), .refused("default/other"), .refused("sleep/default"), .allowed("test/any"),
                .refused("spiffe://partner.test/ns/default/sa/sleep"), .refused("spiffe://example.org/test/any"),
                .refused("spiffe://example.org/ns/test/sa/any/more"),
            ]),
        ImportCase("a policy without rules denies all", policy("{}"), [.refused("foo/a"), .refused("default/sleep")]),
        ImportCase(
            "a null for the rules", policy("selector: {matchLabels: {app: httpbin}}\nrules:"), [.refused("foo/a")]),
        ImportCase("an empty list of rules", policy("rules: []"), [.refused("foo/a")]),
        ImportCase(
            "an empty rule allows all", policy("rules:\n- {}"),
            [.allowed("foo/a"), .allowed("bar/b", from: "2001:db8::1", to: 9)]),
        ImportCase(
            "policies add up", policy("{}") + policy("rules: [{from: [{source: {namespaces: [bar]}}]}]", name: "b"),
            [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "a deny policy alone leaves the default, which allows",
            policy(
                "action: DENY\nrules: [{from: [{source: {namespaces: [dev]}}], to: [{operation: {ports: ['8080']}}]}]"),
            [.refused("dev/a", to: 8080), .allowed("dev/a", to: 80), .allowed("foo/a", to: 8080)]),
        ImportCase(
            "deny goes before allow",
            policy("rules: [{}]") + policy("action: DENY\nrules: [{from: [{source: {namespaces: [dev]}}]}]", name: "b"),
            [.refused("dev/a"), .allowed("foo/a")]),
        ImportCase(
            "a deny policy with an empty rule denies all",
            policy("rules: [{}]")
                + policy("action: DENY\nrules: [{}]", name: "b"), [.refused("foo/a"), .refused("dev/a")]),
        ImportCase(
            "ports of TCP traffic",
            policy("selector: {matchLabels: {app: httpbin}}\nrules: [{to: [{operation: {ports: ['9000', '9001']}}]}]"),
            [.allowed("foo/a", to: 9000), .allowed("foo/a", to: 9001), .refused("foo/a", to: 9002)]),
        ImportCase(
            "a port that is asked for",
            policy(
                """
                rules:
                - to: [{operation: {ports: ["9000"]}}]
                  from: [{source: {namespaces: [bar]}}]
                - to: [{operation: {ports: ["9002"]}}]
                """),
            [.allowed("bar/a", to: 15443), .refused("foo/a", to: 15443)], Importing(port: 9000)),
        ImportCase(
            "the root namespace, and another one",
            policy("rules: [{from: [{source: {namespaces: [mesh]}}]}]", namespace: "istio-system")
                + policy("rules: [{}]", namespace: "bar"),
            [.allowed("mesh/a"), .refused("foo/a"), .refused("bar/a")]),
        ImportCase(
            "a selector of other pods",
            policy("rules: [{from: [{source: {namespaces: [bar]}}]}]")
                + policy("selector: {matchLabels: {app: other}}\nrules: [{}]", name: "b"),
            [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "a selector of a label that the pod has not, which decides nothing",
            policy("rules: [{}]")
                + policy("selector: {matchLabels: {version: v1}}\naction: DENY\nrules: [{}]", name: "b"),
            [.allowed("foo/a")], Importing(labels: "app=httpbin,!version")),
        ImportCase(
            "audit and dry runs decide nothing",
            policy("rules: [{}]") + policy("action: AUDIT\nrules: [{}]", name: "b")
                + policy("action: DENY\nrules: [{}]", name: "c").replacing(
                    "name: c", with: "name: c\n  annotations: {istio.io/dry-run: \"true\"}"),
            [.allowed("foo/a")]),
    ]

    private static let exclusions: [ImportCase] = [
        ImportCase(
            "fields of a source must all match",
            policy(
                """
                rules:
                - from:
                  - source:
                      principals: ["cluster.local/ns/prod/sa/admin", "cluster.local/ns/prod/sa/dev"]
                      namespaces: ["prod", "test"]
                      notIpBlocks: ["203.0.113.4"]
                """),
            [
                .allowed("prod/admin"), .allowed("prod/dev", from: "203.0.113.5"), .refused("prod/other"),
                .refused("prod/admin", from: "203.0.113.4"), .refused("test/admin"), .allowed("prod/dev", from: "::1"),
            ]),
        ImportCase(
            "bits behind a prefix, which decide nothing",
            policy("rules: [{from: [{source: {ipBlocks: ['10.0.0.1/8'], notIpBlocks: ['10.1.2.3/16']}}]}]"),
            [
                .allowed("foo/a", from: "10.2.0.1"), .refused("foo/a", from: "10.1.0.1"),
                .refused("foo/a", from: "11.0.0.1"),
            ]),
        ImportCase(
            "blocks with exceptions",
            policy(
                "rules: [{from: [{source: {ipBlocks: ['10.0.0.0/8', '2001:db8::/32'], "
                    + "notIpBlocks: ['10.1.0.0/16', '2001:db8::7']}}]}]"),
            [
                .allowed("foo/a", from: "10.2.0.1"), .refused("foo/a", from: "10.1.0.1"),
                .refused("foo/a", from: "11.0.0.1"), .allowed("foo/a", from: "10.0.255.255"),
                .allowed("foo/a", from: "2001:db8::8"), .refused("foo/a", from: "2001:db8::7"),
            ]),
        ImportCase(
            "all of IPv6 but the neighbours of IPv4, which it does not let in",
            policy("rules: [{from: [{source: {ipBlocks: ['::/0'], notIpBlocks: ['::fffe:0:0/96']}}]}]"),
            [
                .allowed("foo/a", from: "2001:db8::1"), .refused("foo/a", from: "::fffe:0:1"),
                .refused("foo/a", from: "10.1.2.3"), .allowed("foo/a", from: "::fffd:0:1"),
            ]),
        ImportCase(
            "all ports but one", policy("rules: [{to: [{operation: {notPorts: ['22', '1']}}]}]"),
            [
                .refused("foo/a", to: 22), .allowed("foo/a", to: 21), .allowed("foo/a", to: 23),
                .refused("foo/a", to: 1), .allowed("foo/a", to: 65535),
            ]),
        ImportCase(
            "deny all namespaces but one",
            policy("action: DENY\nrules: [{from: [{source: {notNamespaces: [foo]}}]}]"),
            [.allowed("foo/a"), .refused("bar/a"), .refused("foo-2/a")]),
        ImportCase(
            "deny all but one to one port, beside what is allowed",
            policy("rules: [{from: [{source: {namespaces: [foo, bar]}}]}]")
                + policy(
                    "action: DENY\nrules: [{from: [{source: {notPrincipals: ['cluster.local/ns/foo/sa/a']}}], "
                        + "to: [{operation: {ports: ['9000']}}]}]", name: "b"),
            [
                .allowed("foo/a", to: 9000), .refused("bar/a", to: 9000), .refused("foo/b", to: 9000),
                .allowed("bar/a", to: 80), .allowed("foo/b", to: 80), .refused("dev/a", to: 80),
            ]),
        ImportCase(
            "deny who is not authenticated",
            policy("rules: [{}]")
                + policy("action: DENY\nrules: [{from: [{source: {notPrincipals: ['*']}}]}]", name: "b"),
            [.allowed("foo/a")]),
        ImportCase(
            "allow all but some", policy("rules: [{from: [{source: {notNamespaces: [dev]}}]}]"),
            [.allowed("foo/a"), .refused("dev/a")]),
        ImportCase(
            "allow a namespace but one account",
            policy(
                "rules: [{from: [{source: {namespaces: [bar], notPrincipals: ['cluster.local/ns/bar/sa/x']}}]}, "
                    + "{from: [{source: {namespaces: [foo]}}]}]"),
            [.allowed("bar/a"), .refused("bar/x"), .allowed("foo/x")]),
    ]

    private static let combinations: [ImportCase] = [
        ImportCase(
            "conditions",
            policy(
                """
                rules:
                - when:
                  - {key: source.namespace, values: [foo, bar]}
                  - {key: source.ip, values: ["10.0.0.0/8"], notValues: ["10.9.0.0/16"]}
                  - {key: destination.port, values: ["80"]}
                  - {key: source.principal, values: ["*/sa/x"]}
                """),
            [
                .allowed("foo/x"), .allowed("bar/x"), .refused("foo/y"), .refused("dev/x"), .refused("foo/x", to: 81),
                .refused("foo/x", from: "10.9.1.1"), .refused("foo/x", from: "11.1.1.1"),
            ]),
        ImportCase(
            "sources and operations",
            policy(
                """
                rules:
                - from:
                  - source: {namespaces: [foo]}
                  - source: {ipBlocks: ["10.0.0.0/8"]}
                  to:
                  - operation: {ports: ["80"]}
                  - operation: {ports: ["443"]}
                """),
            [
                .allowed("foo/a", from: "11.0.0.1"), .allowed("bar/a", to: 443), .refused("bar/a", from: "11.0.0.1"),
                .refused("foo/a", to: 81),
            ]),
        ImportCase(
            "prefixes and suffixes of principals",
            policy("rules: [{from: [{source: {principals: ['cluster.local/ns/bar/*', '*/ns/foo/sa/x']}}]}]"),
            [.allowed("bar/a"), .allowed("foo/x"), .refused("foo/y"), .refused("dev/x")]),
        ImportCase(
            "any principal", policy("rules: [{from: [{source: {principals: ['*']}}]}]"),
            [.allowed("bar/a"), .refused("spiffe://partner.test/ns/bar/sa/a")]),
        ImportCase(
            "a principal of another trust domain",
            policy("rules: [{from: [{source: {principals: ['partner.test/ns/bar/sa/a']}}]}]"),
            [.allowed("spiffe://partner.test/ns/bar/sa/a"), .refused("bar/a")]),
        ImportCase(
            "service accounts", policy("rules: [{from: [{source: {serviceAccounts: ['x', 'bar/y']}}]}]"),
            [.allowed("foo/x"), .refused("bar/x"), .allowed("bar/y"), .refused("foo/y")]),
        ImportCase(
            "aliases of the trust domain, allowed and denied",
            policy("rules: [{from: [{source: {principals: ['old-td/ns/foo/sa/a', 'cluster.local/ns/foo/sa/b']}}]}]")
                + policy(
                    "action: DENY\nrules: [{from: [{source: {principals: ['new-td/ns/foo/sa/b']}}]}]", name: "b"),
            [
                .allowed("foo/a"), .allowed("spiffe://old-td/ns/foo/sa/a"), .refused("foo/b"),
                .refused("spiffe://old-td/ns/foo/sa/b"), .refused("spiffe://new-td/ns/foo/sa/a"),
            ], Importing(meshTrustDomain: "new-td", aliases: ["old-td"])),
        ImportCase(
            "another form of identities", policy("rules: [{from: [{source: {principals: ['*/ns/foo/sa/x']}}]}]"),
            [.allowed("spiffe://example.org/k8s/x/foo"), .refused("foo/x")],
            Importing(format: "/k8s/{name}/{namespace}")),
        ImportCase(
            "JSON, a list, v1beta1, and objects that are no policies",
            """
            {"apiVersion": "v1", "kind": "List", "items": [
              {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {}},
              {"apiVersion": "security.istio.io/v1beta1", "kind": "AuthorizationPolicy",
               "metadata": {"name": "a"}, "spec": {"rules": [{"from": [{"source": {"namespaces": ["bar"]}}]}]}}]}
            """, [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "JSON as other programs write it, in an object that is no policy",
            #"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a": "\ud83d\ude00\u007f"}}"#
                + "\n" + policy("rules: [{from: [{source: {namespaces: [bar]}}]}]"),
            [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "a merge key in an object that is no policy",
            """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: a}
            data: &data {a: b}
            <<: *data
            """ + "\n" + policy("rules: [{from: [{source: {namespaces: [bar]}}]}]"),
            [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "an alias of what an object that is no policy has",
            """
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: &peers [bar]}}
            - apiVersion: security.istio.io/v1
              kind: AuthorizationPolicy
              metadata: {name: a}
              spec: {rules: [{from: [{source: {namespaces: *peers}}]}]}
            """, [.allowed("bar/a"), .refused("foo/a")]),
    ]

    private static func principals(_ names: String, _ field: String = "principals", action: String = "ALLOW") -> String
    {
        policy("action: \(action)\nrules: [{from: [{source: {\(field): [\(names)]}}]}]")
    }

    private static func revised(_ revision: String, _ spec: String, name: String) -> String {
        policy(spec, name: name).replacing(
            "name: \(name)", with: "name: \(name)\n  labels: {istio.io/rev: \(revision)}")
    }

    /// What options decide.
    private static let choices: [ImportCase] = [
        ImportCase(
            "cluster.local is the mesh, whatever that is called", principals("cluster.local/ns/bar/sa/a"),
            [.allowed("bar/a"), .refused("bar/b")], Importing(meshTrustDomain: nil)),
        ImportCase(
            "a denial of the mesh's trust domain",
            principals("prod.mesh/ns/bar/sa/a, 'prod.mesh/ns/dev/*'", action: "DENY"),
            [.refused("bar/a"), .refused("dev/x"), .allowed("bar/b")], Importing(meshTrustDomain: "prod.mesh")),
        ImportCase(
            "a denial of a trust domain that is said to be foreign",
            principals("partner.test/ns/bar/sa/a", action: "DENY"), [.allowed("bar/a")],
            Importing(meshTrustDomain: nil, foreign: ["partner.test"])),
        ImportCase(
            "all but some of a foreign trust domain", principals("partner.test/ns/bar/sa/a", "notPrincipals"),
            [.allowed("bar/a")], Importing(foreign: ["partner.test"])),
        ImportCase(
            "an alias that the SVIDs have", principals("old.test/ns/bar/sa/a"), [.allowed("bar/a"), .refused("bar/b")],
            Importing(meshTrustDomain: "new.test", aliases: ["old.test"])),
        ImportCase(
            "foreign identities keep their form",
            principals("partner.test/ns/bar/sa/a, cluster.local/ns/bar/sa/b"),
            [
                .allowed("spiffe://partner.test/ns/bar/sa/a"), .refused("spiffe://partner.test/bar/a"),
                .allowed("spiffe://example.org/bar/b"), .refused("bar/b"),
            ], Importing(format: "/{namespace}/{name}")),
        ImportCase(
            "a denial without a trust domain is of identities of both forms",
            principals("'cluster.local/*', partner.test/ns/dev/sa/a, partner.test/ns/x/sa/a")
                + policy("action: DENY\nrules: [{from: [{source: {namespaces: [dev]}}]}]", name: "b"),
            [
                .refused("spiffe://partner.test/ns/dev/sa/a"), .allowed("spiffe://partner.test/ns/x/sa/a"),
                .refused("spiffe://example.org/dev/a"), .allowed("spiffe://example.org/x/a"),
            ], Importing(format: "/{namespace}/{name}")),
        ImportCase(
            "revisions of the control plane",
            revised("canary", "rules: [{}]", name: "a")
                + policy("rules: [{from: [{source: {namespaces: [bar]}}]}]", name: "b")
                + revised("stable", "rules: [{from: [{source: {namespaces: [dev]}}]}]", name: "c"),
            [.allowed("bar/a"), .allowed("dev/a"), .refused("foo/a")]),
        ImportCase(
            "a tag of the control plane's revision",
            policy("rules: [{}]", name: "b")
                + revised("prod", "action: DENY\nrules: [{from: [{source: {namespaces: [dev]}}]}]", name: "a"),
            [.allowed("bar/a"), .refused("dev/a")], Importing(revisions: "1-29,prod,!canary")),
        ImportCase(
            "a service account with a dot, which Istio takes for any character, by its name alone",
            policy("rules: [{from: [{source: {serviceAccounts: [web.x]}}]}]"),
            [.allowed("foo/web.x"), .refused("foo/web-x")]),
        ImportCase(
            "labels that are numbers, in quotes",
            policy("rules: [{}]")
                + policy("action: DENY\nselector: {matchLabels: {'8': '010'}}\nrules: [{}]", name: "b"),
            [.refused("foo/a")], Importing(labels: "8=010")),
        ImportCase(
            "characters of JSON's strings that YAML takes for line breaks",
            """
            {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "a",
            "annotations": {"a\u{2028}": "\\ud83d\\ude00 \u{85}", "b": [-1.5e3, true, null, {}, []]}},
            "spec": {"rules": [{"from": [{"source": {"namespaces": ["dev"]}}]}]}}
            """, [.allowed("dev/a"), .refused("bar/a")]),
        ImportCase(
            "another root namespace",
            policy("rules: [{from: [{source: {namespaces: [mesh]}}]}]", namespace: "istio-config")
                + policy("rules: [{}]", namespace: "istio-system"), [.allowed("mesh/a"), .refused("foo/a")],
            Importing(rootNamespace: "istio-config")),
        ImportCase(
            "gateways, and what is for other pods or namespaces",
            policy("rules: [{from: [{source: {namespaces: [bar]}}]}]")
                + policy(
                    "targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: g}]\naction: CUSTOM",
                    name: "b")
                + object("RequestAuthentication", "selector: {matchLabels: {app: other}}")
                + object("RequestAuthentication", "{}", namespace: "bar") + object("WasmThing", "{}", namespace: "bar"),
            [.allowed("bar/a"), .refused("foo/a")]),
        ImportCase(
            "dry runs as Go writes them",
            policy("rules: [{}]").replacing("name: a", with: "name: a\n  annotations: {istio.io/dry-run: \"0\"}")
                + policy("action: DENY\nrules: [{}]", name: "c").replacing(
                    "name: c", with: "name: c\n  annotations: {istio.io/dry-run: \"True\"}"), [.allowed("foo/a")]),
        ImportCase(
            "lists of any kind, and items that have none",
            """
            apiVersion: v1
            kind: AuthorizationPolicyList
            items:
            - apiVersion: security.istio.io/v1
              kind: AuthorizationPolicy
              metadata: {name: a}
              spec: {action: DENY, rules: [{from: [{source: {namespaces: [bar]}}]}]}
            ---
            apiVersion: example.com/v1
            kind: Bundle
            items:
            - apiVersion: security.istio.io/v1
              kind: AuthorizationPolicy
              metadata: {name: b}
              spec: {action: DENY, rules: [{from: [{source: {namespaces: [dev]}}]}]}
            ---
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicyList
            items:
            - metadata: {name: c}
              spec: {rules: [{from: [{source: {namespaces: [bar, dev, foo]}}]}]}
            """, [.refused("bar/a"), .refused("dev/a"), .allowed("foo/a"), .refused("x/a")]),
    ]

    private static func object(_ kind: String, _ spec: String, namespace: String = "foo") -> String {
        policy(spec, name: "other", namespace: namespace).replacing("kind: AuthorizationPolicy", with: "kind: \(kind)")
    }

    @Test("writes comments that name the source of each rule, and what is to be done")
    func text() throws {
        let yaml =
            Self.policy("rules: [{from: [{source: {namespaces: [bar]}}]}]", name: "viewers")
            + Self.policy(
                "action: DENY\nrules: [{from: [{source: {notPrincipals: ['cluster.local/ns/bar/sa/a']}}]}]",
                name: "only")
        let imported = try Importing(port: 8080)(yaml)
        #expect(
            imported.text == """
                # Istio's policies for the port 8080 of the workload in the namespace foo (`postern policy import`).
                # To do: add it to the settings of the workload's proxy, and name it in the inbound route
                # that leads to this workload: `policy: "p"`. Identities are those of SVIDs of example.org.
                policies:
                  "p":
                    rules:
                      # AuthorizationPolicy foo/viewers, rules[0], at `m.yaml:8:11`
                      # narrowed by AuthorizationPolicy foo/only, rules[0]
                      - name: "viewers-0"
                        action: allow
                        identities:
                          - "spiffe://example.org/ns/bar/sa/a"

                """)
    }

    @Test("says what it passes over, and that a default allows")
    func notes() throws {
        let yaml =
            Self.policy("action: DENY\nrules: [{from: [{source: {namespaces: [bar]}}]}]")
            + Self.policy("rules: [{}]", namespace: "bar")
            + Self.policy("selector: {matchLabels: {app: other}}\nrules: [{}]", name: "b")
        let common = [
            "m.yaml:19:1: warning: passed over: AuthorizationPolicy foo/b: it does not select the workload",
            "m.yaml:1:1: warning: no ALLOW policy applies to the workload, so that by default all are allowed whom no "
                + "DENY policy refuses",
        ]
        let others =
            "m.yaml:1:1: warning: passed over: 1 of other namespaces (bar); the root namespace, whose policies are for "
            + "all, is istio-system"
        let noRoot =
            "; none of the root namespace is in the input: add those that are there, because they are for all workloads"
        #expect(
            try Importing()(yaml).notes.map(\.description) == [common[0], common[1] + noRoot, others])
        let root = Self.policy("action: DENY", name: "r", namespace: "istio-system")
        #expect(try Importing()(yaml + root).notes.map(\.description) == common + [others])
    }

    @Test("says where Istio lets in other trust domains and clients without mutual TLS, and the import does not")
    func narrowing() throws {
        func notes(_ rule: String, _ importing: Importing = Importing()) throws -> [String] {
            try importing(Self.policy("rules: [\(rule)]")).notes.map(\.message)
        }
        let namespaces = "{from: [{source: {namespaces: [bar]}}]}"
        let start = "this names no trust domain, so that Istio also lets in peers of others that it trusts"
        #expect(try notes(namespaces).contains { $0.hasPrefix(start + ";") })
        #expect(try notes("{}").contains { $0.hasPrefix(start + " and clients without mutual TLS;") })
        #expect(try notes("{from: [{source: {principals: ['cluster.local/ns/bar/sa/a']}}]}").isEmpty)
        let partner = "{from: [{source: {principals: ['partner.test/ns/bar/sa/a']}}]}"
        #expect(
            try notes(partner) == [
                "AuthorizationPolicy foo/a, rules[0], lets in peers of the trust domain partner.test under this name: "
                    + "say with `--foreign-trust-domain partner.test` that it is not the mesh's, or with "
                    + "`--trust-domain-alias` that it is"
            ])
        #expect(try notes(partner, Importing(foreign: ["partner.test"])).isEmpty)
    }

    @Test("says that a DENY of all but some lets in a trust domain")
    func sparedDomain() throws {
        let imported = try Importing()(Self.principals("partner.test/ns/bar/sa/a", "notPrincipals", action: "DENY"))
        #expect(try imported.allows("spiffe://partner.test/ns/bar/sa/a"))
        let start =
            "Istio's default where no ALLOW policy applies, lets in peers of the trust domain partner.test under"
        #expect(imported.notes.contains { $0.message.hasPrefix(start) }, "\(imported.notes)")
    }

    @Test("says that nobody is allowed, and what of Linkerd's is passed over")
    func nobody() throws {
        let limit = LinkerdImportTests.object("HTTPLocalRateLimitPolicy", "l", "{}")
        #expect(
            try Importing()(Self.policy("{}") + limit).notes.map(\.message) == [
                "passed over: HTTPLocalRateLimitPolicy booksapp/l: it limits rates and authorizes nobody",
                "nobody is allowed: nothing that applies to the workload allows anybody",
            ])
    }

    @Test(
        "a line break of YAML ends a comment in a text that begins like JSON",
        arguments: ["\u{2028}", "\u{2029}", "\u{85}"], ["only dev", "only dev, they said: \"yes", "it's \\\" so"])
    func comments(lineBreak: String, comment: String) throws {
        let text = """
            {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": {"name": "a"},
            "spec": {"rules": [{ # \(comment)\(lineBreak)"from": [{"source": {"namespaces": ["dev"]}}]
            }]}}
            """
        let imported = try Importing()(text)
        #expect(try imported.allows("spiffe://example.org/ns/dev/sa/a"))
        #expect(try !imported.allows("spiffe://example.org/ns/bar/sa/a"))
    }

    @Test("says that rules which name ports are for a transparent listener")
    func portsNote() throws {
        let yaml = Self.policy("rules: [{to: [{operation: {ports: ['80']}}]}]")
        #expect(try Importing()(yaml).text.contains("# It is for a transparent listener"))
        #expect(try !Importing(port: 80)(yaml).text.contains("transparent"))
    }
}
