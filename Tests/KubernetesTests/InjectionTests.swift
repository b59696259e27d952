import Kubernetes
import ManifestTesting
import PosternTesting
import Settings
import Testing

@Suite("The sidecar in a manifest")
struct InjectionTests {
    private let injection: Injection

    init() throws {
        injection = try #require(Injection(image: "registry.example.org/postern:1.0", version: "1.2.3"))
    }

    @Test("a manifest is injected once, and a removal gives it back byte for byte", arguments: Manifests.all)
    func roundTrip(_ manifest: SampleManifest) throws {
        let injected = try injection.inject(manifest.bytes, file: "m.yaml")
        let injections = injected.reports.filter { if case .injected = $0.outcome { true } else { false } }
        #expect(injections.count == manifest.pods, "\(injected.reports)")
        #expect((injected.text != manifest.bytes) == (manifest.pods > 0))
        let again = try injection.inject(injected.text, file: "m.yaml")
        #expect(again.text == injected.text)
        let removed = try Injection.uninject(injected.text, file: "m.yaml")
        #expect(
            removed.text == manifest.bytes,
            "\(String(decoding: injected.text, as: UTF8.self))\n=>\n\(String(decoding: removed.text, as: UTF8.self))")
    }

    @Test("so it is with comments and blank lines anywhere between", arguments: UInt64(0)..<8)
    func comments(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for manifest in Manifests.all {
            let text = Self.commented(manifest.text, &random)
            let bytes = Array(text.utf8)
            // Inside a block scalar an inserted line may break the YAML, or end the scalar.
            guard let injected = try? injection.inject(bytes, file: "m.yaml") else { continue }
            #expect(try injection.inject(injected.text, file: "m.yaml").text == injected.text, "\(text)")
            let removed = try Injection.uninject(injected.text, file: "m.yaml")
            #expect(removed.text == bytes, "seed \(seed):\n\(text)")
        }
    }

    @Test(
        "comments and blank lines between the lines of block style are no reason to refuse", arguments: UInt64(0)..<5)
    func noRefusal(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for text in Self.plain {
            let commented = Self.commented(text, &random)
            let injected = try injection.inject(Array(commented.utf8), file: "m.yaml")
            #expect(injected.text != Array(commented.utf8), "\(commented)")
        }
    }

    @Test("pods in random layouts: all are injected, and a removal gives the text back")
    func layouts() throws {
        for seed in UInt64(0)..<300 {
            var generator = ManifestGenerator(seed: seed)
            let text = generator.text()
            let bytes = Array(text.utf8)
            let injected = try injection.inject(bytes, file: "seed \(seed)")
            #expect(!injected.reports.isEmpty && injected.text != bytes, "seed \(seed):\n\(text)")
            let removed = try Injection.uninject(injected.text, file: "m")
            #expect(removed.text == bytes, "seed \(seed):\n\(text)")
        }
    }

    @Test("a removal takes out the sidecar alone, whatever was edited around it since")
    func editedSince() throws {
        let before = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
            spec:
              containers:
                - name: a
                  image: a

            """
        let injected = String(decoding: try injection.inject(Array(before.utf8), file: "m").text, as: UTF8.self)
        let edited =
            injected.replacing("  containers:\n", with: "  # more\n  restartPolicy: Never\n  containers:\n")
            .replacing("    - name: postern-proxy", with: "    # the proxy\n\n    - name: postern-proxy")
            .replacing(
                "  initContainers:\n", with: "  initContainers:\n    # first of all\n    - {name: zero, image: z}\n"
            )
            .replacing("    postern.dev/injected", with: "    own: 'yes'\n    postern.dev/injected")
            .replacing("memory: \"256Mi\"", with: "memory: 1Gi   # more")
        let removed = try Injection.uninject(Array(edited.utf8), file: "m")
        #expect(
            String(decoding: removed.text, as: UTF8.self) == """
                apiVersion: v1
                kind: Pod
                metadata:
                  annotations:
                    own: 'yes'
                  name: a
                spec:
                  initContainers:
                    # first of all
                    - {name: zero, image: z}
                    # the proxy

                  # more
                  restartPolicy: Never
                  containers:
                    - name: a
                      image: a

                """)
    }

    @Test("a removal works where another program has written the manifest anew")
    func rewritten() throws {
        let text = """
            {"kind": "Pod", "apiVersion": "v1", "spec": {"volumes": [{"name": "v"}, {"name": "postern-settings"}, \
            {"name": "postern-identity"}], "initContainers": [{"args": ["x"], "name": "postern-proxy"}], \
            "containers": [{"name": "a"}]}, "metadata": {"name": "a", "annotations": {"a": "b", \
            "postern.dev/injected": "9"}}}
            """
        let removed = try Injection.uninject(Array(text.utf8), file: "m")
        #expect(
            String(decoding: removed.text, as: UTF8.self) == """
                {"kind": "Pod", "apiVersion": "v1", "spec": {"volumes": [{"name": "v"}], "containers": [{"name": "a"}]}, \
                "metadata": {"name": "a", "annotations": {"a": "b"}}}
                """)
    }

    @Test("the annotations of the pod are in the arguments and resources")
    func choices() throws {
        let text = """
            apiVersion: v1
            kind: Pod
            metadata:
              name: a
              annotations:
                postern.dev/image: other/postern@sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
                postern.dev/settings: mine
                postern.dev/skip-inbound-ports: "22,9100-9199"
                postern.dev/skip-outbound-ports: "5432"
                postern.dev/skip-outbound-addresses: "10.0.0.0/8,fd00::/8"
                postern.dev/cpu-request: 200m
                postern.dev/cpu-limit: "2"
                postern.dev/memory-request: 100Mi
                postern.dev/memory-limit: 1Gi
                postern.dev/identity: workload-api-host
                postern.dev/identity-socket: /run/agent/api.sock
                postern.dev/drain-delay: 250ms
                postern.dev/drain-timeout: 20s
            spec:
              containers: [{name: a, image: a}]

            """
        let injected = String(decoding: try injection.inject(Array(text.utf8), file: "m").text, as: UTF8.self)
        for line in [
            #"--skip-inbound-ports, "22,9100-9199""#, #"--skip-outbound-ports, "5432""#,
            #"--skip-outbound-addresses, "10.0.0.0/8,fd00::/8"]"#,
            #"image: "other/postern@sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f""#,
            "name: mine", #"cpu: "200m""#, #"cpu: "2""#, #"memory: "100Mi""#, #"memory: "1Gi""#,
            #"postern.dev/injected: "1.2.3""#, "hostPath:\n        path: /run/agent\n",
            #"value: "unix:///spiffe-workload-api/api.sock""#, #"--drain-delay, "250ms", --drain-timeout, "20s"]"#,
        ] {
            #expect(injected.contains(line), "\(line):\n\(injected)")
        }
    }

    @Test(
        "what the rules exempt is not validated, and that is told",
        arguments: [
            ("postern.dev/skip-outbound-addresses: 'fd00::/8,0.0.0.0/0'", false),
            ("postern.dev/skip-outbound-addresses: '2001:db8::/32'", false),
            ("postern.dev/skip-inbound-ports: '22,60000-65535'", true),
            ("postern.dev/skip-outbound-ports: '1-65535'", false),
            ("postern.dev/skip-outbound-addresses: 10.0.0.0/8", true), ("postern.dev/redirection: cni", true),
        ])
    func validator(_ annotation: String, _ isThere: Bool) throws {
        let text =
            "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {\(annotation)}}\nspec: {containers: [{name: a}]}\n"
        let result = try injection.inject(Array(text.utf8), file: "m")
        #expect(String(decoding: result.text, as: UTF8.self).contains("postern-validate") == isThere)
        #expect(result.reports[0].warnings.isEmpty == isThere)
    }

    @Test(
        "a drain that the pod's grace period would cut is told of",
        arguments: [
            ("", "", false), ("postern.dev/drain-timeout: 29s", "", false),
            ("postern.dev/drain-timeout: 30s", "", true),
            ("postern.dev/drain-timeout: 1m", "terminationGracePeriodSeconds: 90, ", false),
            ("", "terminationGracePeriodSeconds: 5, ", true), ("", "terminationGracePeriodSeconds: 6, ", false),
            ("postern.dev/drain-delay: 0s", "terminationGracePeriodSeconds: 0, ", false),
        ])
    func grace(_ annotation: String, _ grace: String, _ isTold: Bool) throws {
        let text =
            "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {\(annotation)}}\n"
            + "spec: {\(grace)containers: [{name: a}]}\n"
        let warnings = try injection.inject(Array(text.utf8), file: "m").reports[0].warnings
        #expect(warnings.map { $0.message.contains("terminationGracePeriodSeconds") } == (isTold ? [true] : []))
    }

    @Test("a removal tells of containers that mount a volume of the sidecar's")
    func mounted() throws {
        let text = """
            apiVersion: batch/v1
            kind: Job
            metadata: {name: a}
            spec:
              template:
                spec:
                  restartPolicy: Never
                  containers:
                    - name: a
                      volumeMounts: [{name: postern-run, mountPath: /run/postern}, {name: own, mountPath: /x}]

            """
        let injected = try injection.inject(Array(text.utf8), file: "m")
        let removed = try Injection.uninject(injected.text, file: "m")
        #expect(removed.text == Array(text.utf8))
        try #require(removed.reports[0].warnings.count == 1)
        #expect(removed.reports[0].warnings[0].message.hasPrefix("`a` mounts the volume `postern-run`, which goes"))
    }

    @Test(
        "what a cluster wrote as JSON stays JSON, whichever of its entries are neighbours",
        arguments: ["012", "021", "102", "120", "201", "210"])
    func neighbours(_ order: String) throws {
        let entries = [
            "\"containers\": [{\"name\": \"a\"}]",
            "\"initContainers\": [{\"name\": \"postern-redirect\"}, {\"name\": \"postern-proxy\"}]",
            "\"volumes\": [{\"name\": \"postern-run\"}]",
        ]
        func text(_ annotations: String, _ spec: [String]) -> String {
            "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\(annotations)\"name\": \"a\"}, "
                + "\"spec\": {\(spec.joined(separator: ", "))}}\n"
        }
        let spec = order.utf8.map { entries[Int($0 - UInt8(ascii: "0"))] }
        let injected = text("\"annotations\": {\"postern.dev/injected\": \"1\"}, ", spec)
        let removed = try Injection.uninject(Array(injected.utf8), file: "m")
        #expect(String(decoding: removed.text, as: UTF8.self) == text("", [entries[0]]))
    }

    @Test("JSON may have characters as two surrogates, which YAML may not: it is edited in the right places")
    func surrogates() throws {
        func pod(_ annotation: String, _ path: String) -> [UInt8] {
            Array(
                """
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": {"\(annotation)": "\(annotation)"},
                  "name": "a"}, "spec": {"containers": [{"name": "a", "livenessProbe": {"httpGet":
                  {"path": "\(path)", "port": 80}}}]}}

                """.utf8)
        }
        for text in [
            pod(#"\ud83d\ude00é\uD83D\uDEAA"#, "/"), pod("a", #"/\ud83d\ude00"#), pod(#"\\ud83d\\ude00"#, "/"),
            pod(#"\u00e9\ud83d\ude00"#, #"/\ud83d\ude00\ud83d\ude00"#),
        ] {
            let injected = try injection.inject(text, file: "m")
            #expect(injected.reports[0].outcome == .injected(.redirect))
            #expect(try Injection.uninject(injected.text, file: "m").text == text)
        }
        let asked = try injection.inject(pod("a", #"/\ud83d\ude00"#), file: "m")
        #expect(String(decoding: asked.text, as: UTF8.self).contains(#"{\"httpGet\": {\"path\": \"/😀\""#))
        for path in [#"\ud83d"#, #"\ude00\ud83d"#, #"\ud83d\\ude00"#, #"\ud83d\ud83d"#, #"\ud83d\ude0"#] {
            #expect(throws: InjectionRefusal.self, "\(path)") { try injection.inject(pod("a", path), file: "m") }
        }
    }

    @Test(
        "an image without a registry is told of",
        arguments: [
            ("postern", true), ("postern:1.0", true), ("team/postern:1.0", true),
            ("registry.example.org/postern", false),
            ("localhost/postern", false), ("registry:5000/team/postern", false),
        ])
    func registry(_ image: String, _ isTold: Bool) throws {
        let text = "kind: Pod\napiVersion: v1\nmetadata:\n  name: a\nspec:\n  containers: [{name: a}]\n"
        let injection = try #require(Injection(image: image, version: "1"))
        let images = try injection.inject(Array(text.utf8), file: "m").images
        #expect(images == [image])
        #expect((Injection.warning(ofImage: image) != nil) == isTold)
    }

    @Test("an SVID from a Secret: its files are mounted, and there is no socket")
    func secret() throws {
        let text = """
            apiVersion: v1
            kind: Pod
            metadata: {name: a, annotations: {postern.dev/identity: secret, postern.dev/identity-secret: a.svid}}
            spec:
              containers: [{name: a, image: a}]

            """
        let injected = String(decoding: try injection.inject(Array(text.utf8), file: "m").text, as: UTF8.self)
        #expect(injected.contains("secretName: a.svid") && injected.contains("mountPath: /postern-identity"))
        #expect(!injected.contains("SPIFFE_ENDPOINT_SOCKET") && !injected.contains("csi"))
    }

    @Test("a certificate of Kubernetes: one file with key and chain, and the signer's roots")
    func podCertificate() throws {
        func injected(_ more: String) throws -> String {
            let text = """
                apiVersion: v1
                kind: Pod
                metadata:
                  name: a
                  annotations:
                    postern.dev/identity: podcertificate
                    postern.dev/identity-signer: example.com/spiffe
                \(more)
                spec:
                  containers: [{name: a, image: a}]

                """
            return String(decoding: try injection.inject(Array(text.utf8), file: "m").text, as: UTF8.self)
        }
        let plain = try injected("")
        #expect(
            plain.contains(
                """
                    - name: postern-identity
                      projected:
                        sources:
                          - podCertificate:
                              signerName: example.com/spiffe
                              keyType: ECDSAP256
                              credentialBundlePath: credential-bundle.pem
                          - clusterTrustBundle:
                              signerName: example.com/spiffe
                              labelSelector: {}
                              path: trust-bundle.pem

                """), "\(plain)")
        #expect(plain.contains("mountPath: /postern-identity\n") && !plain.contains("SPIFFE_ENDPOINT_SOCKET"))
        let chosen = try injected(
            "    postern.dev/identity-key-type: ED25519\n    postern.dev/identity-trust-bundle: 'example.com:spiffe:a'")
        #expect(chosen.contains("keyType: ED25519\n"))
        #expect(
            chosen.contains(
                """
                          - clusterTrustBundle:
                              name: "example.com:spiffe:a"
                              path: trust-bundle.pem

                """), "\(chosen)")
    }

    @Test(
        "a pod that ends by itself ends at once, another accepts for five seconds",
        arguments: [
            ("Job", "Never", "0s"), ("Job", "OnFailure", "0s"), ("Deployment", "Always", "5s"),
            ("Deployment", "", "5s"),
        ])
    func drain(_ kind: String, _ restart: String, _ delay: String) throws {
        let version = kind == "Job" ? "batch/v1" : "apps/v1"
        let policy = restart.isEmpty ? "" : "restartPolicy: \(restart), "
        let text =
            "{apiVersion: \(version), kind: \(kind), spec: {template: {spec: {\(policy)containers: [{name: a}]}}}}"
        let injected = String(decoding: try injection.inject(Array(text.utf8), file: "m").text, as: UTF8.self)
        #expect(injected.contains(#""--drain-delay", "\#(delay)""#), "\(injected)")
    }

    @Test("a thousand workloads in one file, and one long line of three thousand, are injected")
    func large() throws {
        let text = String(repeating: Manifests.all[1].text, count: 1_000)
        let injected = try injection.inject(Array(text.utf8), file: "m")
        #expect(injected.reports.count == 1_000)
        #expect(try Injection.uninject(injected.text, file: "m").text == Array(text.utf8))
        let items = Array(
            repeating: #"{"apiVersion":"v1","kind":"Pod","metadata":{},"spec":{"volumes":[],"containers":[{}]}}"#,
            count: 3_000)
        let line = Array((#"{"kind":"List","items":["# + items.joined(separator: ",") + "]}").utf8)
        let list = try injection.inject(line, file: "m")
        #expect(list.reports.count == 3_000)
        #expect(try Injection.uninject(list.text, file: "m").text == line)
    }

    @Test("each skip has its reason")
    func reasons() throws {
        let manifest = try #require(Manifests.all.first { $0.description == "all to skip" })
        let result = try injection.inject(manifest.bytes, file: "m")
        let expected: [WorkloadReport.Outcome] = [
            .skipped(.hostNetwork), .skipped(.disabled), .skipped(.windows), .skipped(.noPodTemplate),
            .skipped(.noContainers), .skipped(.unknownKind),
        ]
        #expect(result.reports.map(\.outcome) == expected)
        for (labels, isSkipped) in [("enabled", false), ("disabled", true)] {
            let text = "{apiVersion: v1, kind: Pod, metadata: {labels: {postern.dev/inject: \(labels)}}, "
            let labelled = try injection.inject(Array((text + "spec: {containers: [{}]}}").utf8), file: "m")
            #expect(labelled.reports.map { $0.outcome == .skipped(.disabled) } == [isSkipped])
        }
        let pod = Array("{apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: [{}]}}".utf8)
        let again = try injection.inject(injection.inject(pod, file: "m").text, file: "m")
        #expect(again.reports.map(\.outcome) == [.skipped(.alreadyInjected(version: "1.2.3"))])
        #expect(try Injection.uninject(pod, file: "m").reports.map(\.outcome) == [.skipped(.notInjected)])
    }

    /// Block style, where nothing is a reason to refuse, whatever comments are between.
    private static let plain = [
        "a pod", "annotations there already, comments all over", "a Deployment as Helm renders it",
    ]
    .compactMap { name in Manifests.all.first { $0.description == name }?.text }

    /// The text with comments and blank lines at random indentation.
    private static func commented(_ text: String, _ random: inout SeededGenerator) -> String {
        var result = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            while random.chance(20) {
                let indent = String(repeating: " ", count: Int.random(in: 0...12, using: &random))
                result += random.pick(["\n", indent + "\n", indent + "# note: [\n", indent + "#- name: x\n"])
            }
            result += line + (random.chance(5) && !line.isEmpty && !line.hasSuffix("|") ? "   \n" : "\n")
        }
        return result + (text.split(separator: "\n", omittingEmptySubsequences: false).last ?? "")
    }
}
