import Kubernetes
import PosternTesting
import Settings
import Testing

@Suite("What is not injected")
struct RefusalTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let text: String
        /// What the message holds.
        let complaint: String

        init(_ name: String, _ text: String, _ complaint: String) {
            (testDescription, self.text, self.complaint) = (name, text, complaint)
        }
    }

    /// A Deployment whose template is this.
    private static func deployment(_ template: String) -> String {
        let lines = template.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)\n" }.joined()
        return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n\(lines)"
    }

    private static func signed(_ annotation: String) -> String {
        annotated("{postern.dev/identity: podcertificate, postern.dev/\(annotation)}")
    }

    private static func annotated(_ annotation: String) -> String {
        deployment("metadata:\n  annotations:\n    \(annotation)\nspec: {containers: [{name: a}]}")
    }

    private static let samples = [
        Sample(
            "a kind behind a merge key that is quoted and has a tag",
            "apiVersion: v1\n!!merge \"<<\": {kind: Pod}\nspec: {containers: [{name: a}]}\n", "a key with a tag"),
        Sample(
            "a host's network behind such a key",
            deployment("spec:\n  !!merge \"<<\": {hostNetwork: true}\n  containers: [{name: a}]"), "a key with a tag"),
        Sample(
            "the proxy's user in base64",
            deployment("spec: {containers: [{name: a, securityContext: {!!binary cnVuQXNVc2Vy: 1337}}]}"),
            "a key with a tag"),
        Sample(
            "a mark without a sidecar", annotated("postern.dev/injected: '1'"),
            "marked as injected by version 1, but without the container `postern-proxy`: remove"),
        Sample(
            "a marked pod with the proxy's user",
            deployment(
                "metadata: {annotations: {postern.dev/injected: '1'}}\nspec:\n"
                    + "  initContainers: [{name: postern-proxy, securityContext: {runAsUser: 1337}}]\n"
                    + "  containers: [{name: a, securityContext: {runAsUser: 1337}}]"), "`runAsUser` must be"),
        Sample("an alias in itself", "self: &self [*self]\n", "is a part of it"),
        Sample("an alias without an anchor", deployment("spec: {containers: [{name: a, image: *b}]}"), "no anchor"),
        Sample(
            "a label of ours",
            deployment("metadata: {labels: {postern.dev/settings: a}}\nspec: {containers: [{name: a}]}"),
            "`postern.dev/settings` has no effect here"),
        Sample(
            "a label that is neither",
            deployment("metadata: {labels: {postern.dev/inject: 'no'}}\nspec: {containers: [{name: a}]}"),
            "`postern.dev/inject`: expected enabled or disabled"),
        Sample(
            "a label against an annotation",
            deployment(
                "metadata: {labels: {postern.dev/inject: disabled}, annotations: {postern.dev/inject: enabled}}\n"
                    + "spec: {containers: [{name: a}]}"), "says one thing here and another as a label"),
        Sample(
            "a request above its limit",
            annotated("{postern.dev/memory-request: 1Gi, postern.dev/memory-limit: 512Mi}"),
            "`postern.dev/memory-request` is more than `postern.dev/memory-limit`"),
        Sample(
            "a port that is octal",
            deployment("spec: {containers: [{name: a, livenessProbe: {tcpSocket: {port: 0777}}}]}"),
            "the port must be a decimal number or a name"),
        Sample(
            "an unknown annotation", annotated("postern.dev/skip-inbound-port: '22'"),
            "m.yaml:8:9: error: there is no annotation `postern.dev/skip-inbound-port`; "
                + "did you mean `postern.dev/skip-inbound-ports`?"),
        Sample("one like no other", annotated("postern.dev/colour: red"), "; there are postern.dev/inject, "),
        Sample(
            "a value that is none", annotated("postern.dev/inject: 'yes'"),
            "m.yaml:8:29: error: `postern.dev/inject`: expected enabled or disabled, found `yes`"),
        Sample("a port that is none", annotated("postern.dev/skip-inbound-ports: '0'"), "expected ports such as"),
        Sample("words in a port list", annotated("postern.dev/skip-outbound-ports: '80 --user 0'"), "expected ports"),
        Sample("an address that is none", annotated("postern.dev/skip-outbound-addresses: 10.0.0.1/8"), "blocks"),
        Sample("a quantity that is none", annotated("postern.dev/memory-limit: 64MB"), "expected memory such as"),
        Sample("an image with half a digest", annotated("postern.dev/image: a@sha256:00ff"), "expected an image"),
        Sample("an image with a quote", annotated("postern.dev/image: 'a\"b'"), "expected an image"),
        Sample("a name that is none", annotated("postern.dev/settings: ../a"), "expected the name of a ConfigMap"),
        Sample("an annotation that is no text", annotated("postern.dev/settings: [a]"), "must be text"),
        Sample(
            "an annotation twice", annotated("{postern.dev/settings: a, postern.dev/settings: b}"),
            "a second annotation `postern.dev/settings`"),
        Sample("an image's command line", annotated("postern.dev/drain-delay: 5 s"), "expected a duration such as 5s"),
        Sample("a drain of two hours", annotated("postern.dev/drain-timeout: 2h"), "at most 1h"),
        Sample("a policy", annotated("postern.dev/policy: strict"), "routes name their policies in the settings"),
        Sample("a level", annotated("postern.dev/log-level: debug"), "it is `log.level` of the settings"),
        Sample(
            "an SVID by a token", annotated("postern.dev/identity: service-account-token"),
            "cannot exchange a token for an SVID"),
        Sample("an unknown source", annotated("postern.dev/identity: vault"), "one of spiffe-csi, workload-api-host"),
        Sample("a Secret without a name", annotated("postern.dev/identity: secret"), "postern.dev/identity-secret"),
        Sample(
            "a certificate of Kubernetes by another name", annotated("postern.dev/identity: pod-certificate"),
            "write `podcertificate`"),
        Sample(
            "a certificate of nobody", annotated("postern.dev/identity: podcertificate"),
            "name its signer in `postern.dev/identity-signer`"),
        Sample(
            "a signer that nobody asks", annotated("postern.dev/identity-signer: example.com/a"),
            "has no effect unless `postern.dev/identity` is podcertificate"),
        Sample("a signer without a domain", signed("identity-signer: spiffe"), "such as example.com/spiffe"),
        Sample("a signer of a single label", signed("identity-signer: a/spiffe"), "such as example.com/spiffe"),
        Sample("a signer of three parts", signed("identity-signer: a.b/c/d"), "such as example.com/spiffe"),
        Sample("a signer with a line break", signed("identity-signer: \"a.b/c\\nd\""), "such as example.com/spiffe"),
        Sample(
            "a type of keys that is none", signed("identity-key-type: ecdsa"), "one of ECDSAP256, ECDSAP384, ECDSAP521"),
        Sample("roots of a path", signed("identity-trust-bundle: a/b"), "the name of a ClusterTrustBundle"),
        Sample("roots of two parts", signed("identity-trust-bundle: 'a:b'"), "the name of a ClusterTrustBundle"),
        Sample(
            "a Secret that nobody reads", annotated("postern.dev/identity-secret: a"),
            "`postern.dev/identity-secret` has no effect unless `postern.dev/identity` is secret"),
        Sample(
            "a socket in the root folder",
            annotated("{postern.dev/identity: workload-api-host, postern.dev/identity-socket: /a.sock}"),
            "the path of a socket on the node"),
        Sample(
            "a probe that is an alias",
            deployment(
                "x: &p {httpGet: {port: 80}}\nspec: {containers: [{name: a, livenessProbe: *p}]}"), "the alias `*p`"),
        Sample(
            "a probe with an anchor that is used",
            deployment(
                "spec:\n  containers:\n  - name: a\n    livenessProbe:\n      httpGet: {port: &p 80}\n"
                    + "    env: [{name: A, value: *p}]"), "an anchor in this probe is used"),
        Sample(
            "a probe by a merge key",
            deployment("x: &c {livenessProbe: {grpc: {port: 9}}}\nspec: {containers: [{<<: *c, name: a}]}"),
            "`livenessProbe` comes by a merge key"),
        Sample(
            "containers with probes that are an alias",
            deployment("x: &c [{name: a, livenessProbe: {grpc: {port: 9}}}]\nspec: {containers: *c}"),
            "the alias `*c`"),
        Sample(
            "a probe with a second request in it",
            deployment(#"spec: {containers: [{name: a, livenessProbe: {httpGet: {port: 9, path: "/\r\nA: b"}}}]}"#),
            "no line breaks and control characters"),
        Sample(
            "a probe of a container without a name",
            deployment("spec: {containers: [{livenessProbe: {grpc: {port: 9}}}]}"), "needs a name"),
        Sample(
            "an annotation at the wrong place",
            "apiVersion: batch/v1\nkind: Job\nmetadata: {annotations: {postern.dev/inject: disabled}}\n",
            "m.yaml:3:26: error: `postern.dev/inject` has no effect here"),
        Sample(
            "a container of our name", deployment("spec:\n  containers:\n  - name: postern-proxy"),
            "m.yaml:8:15: error: the name `postern-proxy`"),
        Sample(
            "a volume of our name", deployment("spec: {containers: [{}], volumes: [{name: postern-settings}]}"),
            "the name `postern-settings`"),
        Sample(
            "the proxy's user for a container",
            deployment("spec:\n  containers:\n  - securityContext: {runAsUser: 1337}"),
            "`runAsUser` must be a decimal number other than 1337"),
        Sample(
            "the proxy's user for the pod",
            deployment("spec: {securityContext: {runAsUser: 1337}, containers: [{name: a}]}"),
            "`runAsUser` must be a decimal number other than 1337"),
        Sample(
            "the proxy's user by a merge key",
            deployment("x: &x {runAsUser: 1337}\nspec: {containers: [{securityContext: {<<: *x}}]}"), "`runAsUser`"),
        Sample(
            "the proxy's user by an alias of an alias's parts",
            deployment("x: &x {<<: {runAsUser: 1337}}\nspec: {containers: [{a: {securityContext: *x}}]}"),
            "`runAsUser`"),
        Sample(
            "the proxy's user second",
            deployment("spec: {containers: [{securityContext: {runAsUser: 5, runAsUser: 1337}}]}"), "`runAsUser`"),
        Sample(
            "annotations by a merge key",
            deployment(
                "x: &x {postern.dev/inject: disabled}\nmetadata: {annotations: {a: b, <<: *x}}\n"
                    + "spec: {containers: [{}]}"),
            "comes by a merge key"),
        Sample(
            "hostNetwork that is no boolean", deployment("spec: {hostNetwork: 'true', containers: [{}]}"),
            "expected true or false for `hostNetwork`"),
        Sample("a spec twice", deployment("spec: {containers: [{}]}\nspec: {}"), "a second key `spec`"),
        Sample("containers twice", deployment("spec: {containers: [{}], containers: []}"), "a second key"),
        Sample(
            "a template that is an alias",
            "x: &t {spec: {containers: [{}]}}\n"
                + "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template: *t\n",
            "m.yaml:5:13: error: this is the alias `*t`"),
        Sample(
            "a spec that is used twice",
            deployment("spec: &s {containers: [{name: a}]}\nother: *s"), "`&s` is used by an alias"),
        Sample(
            "volumes that are an alias",
            deployment("x: &v [{name: v}]\nspec: {containers: [{name: a}], volumes: *v}"), "this is the alias `*v`"),
        Sample(
            "volumes by a merge key",
            deployment("x: &v {volumes: [{name: v}]}\nspec: {<<: *v, containers: [{name: a}]}"), "merge key"),
        Sample(
            "containers by a merge key of merge keys",
            deployment("x: &v {containers: [{name: v}]}\ny: &w {<<: [*v]}\nspec: {<<: *w}"), "merge key"),
        Sample(
            "a key with a question mark", deployment("spec:\n  ? volumes\n  : []\n  ? containers\n  : [{name: a}]"),
            "cannot be edited safely"),
        Sample(
            "a null on a line of its own", deployment("spec:\n  volumes:\n    null\n  containers: [{name: a}]"),
            "this null cannot be edited: leave the key `volumes` out"),
        Sample(
            "a null in braces", deployment("spec: {volumes: , containers: [{name: a}]}"), "this null cannot be edited"),
        Sample("volumes that are no list", deployment("spec: {volumes: {a: b}, containers: [{}]}"), "must be a list"),
        Sample("a spec that is text", deployment("spec: text"), "must be a mapping"),
        Sample(
            "items that are an alias", "a: &a [{kind: Pod}]\nkind: List\nitems: *a\n",
            "m.yaml:3:8: error: this is the alias `*a`"),
        Sample(
            "a pod in a list that is an alias",
            "a: &a {apiVersion: v1, kind: Pod, spec: {containers: [{}]}}\nkind: List\nitems: [*a]\n", "alias `*a`"),
        Sample("a kind twice", "kind: Pod\napiVersion: v1\nkind: Service\n", "a second key `kind`"),
        Sample("a kind twice, ours second", "kind: Service\napiVersion: v1\nkind: Pod\n", "a second key `kind`"),
        Sample("a kind by a merge key", "<<: {kind: Pod, apiVersion: v1}\nspec: {}\n", "`kind` comes by a merge key"),
        Sample("a kind in base64", "kind: !!binary UG9k\napiVersion: v1\n", "`kind` is in base64"),
        Sample("a key in base64", "!!binary a2luZA==: Pod\napiVersion: v1\n", "a key with a tag"),
        Sample("a key that is an alias", "x: &k kind\n*k : Pod\napiVersion: v1\n", "the key `kind` is an alias"),
        Sample("broken YAML", "a: [b\nc: d", "m.yaml:2:2: error: not YAML"),
        Sample("a tab as indentation", "a:\n\tb: c\n", "indent with spaces, not tabs"),
        Sample("lists in lists in lists", nested(9), "lists are nested more than 8 deep"),
        Sample("brackets in brackets", String(repeating: "[", count: 100_000), "nested more than 128 levels deep"),
        Sample("a zero byte", "a: \u{0}\n", "not UTF-8"),
    ]

    private static func nested(_ depth: Int) -> String {
        String(repeating: "{kind: List, items: [", count: depth) + String(repeating: "]}", count: depth)
    }

    @Test(
        "the proxy's user is refused however YAML writes the number",
        arguments: ["1337", "0x539", "02471", "0o2471", "1_337", "1337.0", "1.337e3", "+1337", "'1337'", "!!int 1337"])
    func users(_ number: String) throws {
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        let text = Self.deployment("spec: {containers: [{securityContext: {runAsUser: \(number)}}]}")
        #expect(throws: InjectionRefusal.self) { try injection.inject(Array(text.utf8), file: "m.yaml") }
    }

    @Test("each is refused with its place and a reason", arguments: samples)
    func refusals(_ sample: Sample) throws {
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        do throws(InjectionRefusal) {
            let result = try injection.inject(Array(sample.text.utf8), file: "m.yaml")
            Issue.record("\(String(decoding: result.text, as: UTF8.self))")
        } catch {
            let text = error.flaws.map(\.description).joined(separator: "\n")
            #expect(text.hasPrefix("m.yaml:") && text.contains(sample.complaint), "\(text)")
        }
    }

    @Test("bytes that are no text, and more of them than is read")
    func garbage() throws {
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        var random = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
            if let result = try? injection.inject(bytes, file: "m.yaml") { #expect(result.text == bytes) }
        }
        let large = [UInt8](repeating: UInt8(ascii: "#"), count: Injection.bytesAtMost + 1)
        #expect(throws: InjectionRefusal.self) { try injection.inject(large, file: "m.yaml") }
        let values = Array(("[" + String(repeating: "a,", count: 1_000_001) + "]").utf8)
        #expect(throws: InjectionRefusal.self) { try injection.inject(values, file: "m.yaml") }
    }

    @Test("aliases that would expand to billions of values are not expanded")
    func laughs() throws {
        var text = "a0: &a0 [x, x]\n"
        for level in 1...60 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        // A chain: what each holds must not be freed by recursion.
        text += "c0: &c0 [x]\n"
        for link in 1...200_000 { text += "c\(link): &c\(link) [*c\(link - 1)]\n" }
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        #expect(try injection.inject(Array(text.utf8), file: "m.yaml").text == Array(text.utf8))
    }

    @Test("merge keys that lead to billions of mappings are refused at once, and only where they matter")
    func merges() throws {
        var text = "a0: &a0 {x: y}\n"
        for level in 1...60 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 50).joined(separator: ", ")
            text += "a\(level): &a\(level) {<<: [\(aliases)]}\n"
        }
        text += "apiVersion: v1\nkind: Pod\nspec: {<<: *a60, containers: [{name: a}]}\n"
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        #expect(throws: InjectionRefusal.self) { try injection.inject(Array(text.utf8), file: "m.yaml") }
    }

    @Test("a list of containers that thousands of pods share is gone through once")
    func shared() throws {
        let containers = Array(repeating: "{name: a}", count: 20_000).joined(separator: ", ")
        let pod = "  - {apiVersion: v1, kind: Pod, metadata: {}, spec: {containers: *c}}\n"
        let text =
            "kind: List\nx: &c [\(containers)]\nitems:\n" + String(repeating: pod, count: 1_000)
        let injection = try #require(Injection(image: "postern:1", version: "1"))
        #expect(try injection.inject(Array(text.utf8), file: "m.yaml").reports.count == 1_000)
    }
}
