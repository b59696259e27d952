import Kubernetes
import Testing

@Suite("The webhook's own manifests")
struct WebhookCheckTests {
    private static let sound = """
        apiVersion: v1
        kind: Service
        metadata: {name: postern-injector}
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: MutatingWebhookConfiguration
        metadata: {name: postern-injector}
        webhooks:
          - name: injector.postern.dev
            clientConfig:
              service: {name: postern-injector, namespace: postern-system, path: /inject, port: 443}
              caBundle: Zm9v
            rules:
              - {apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}
              - {apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods/ephemeralcontainers]}
            namespaceSelector: {matchLabels: {postern.dev/inject: enabled}}
            admissionReviewVersions: [v1]
            sideEffects: None
            reinvocationPolicy: IfNeeded
            failurePolicy: Fail
            timeoutSeconds: 10

        """

    @Test("a sound configuration has no flaw")
    func sound() throws {
        let result = try WebhookCheck.flaws(in: Array(Self.sound.utf8), file: "w")
        #expect(result.webhooks == 1 && result.flaws.isEmpty, "\(result.flaws)")
        #expect(try WebhookCheck.flaws(in: Array("kind: Pod".utf8), file: "w").webhooks == 0)
    }

    @Test(
        "what would not work is told, with its place",
        arguments: [
            ("sideEffects: None", "sideEffects: Some", "w:9:5: error: expected `sideEffects`: None"),
            ("failurePolicy: Fail", "failurePolicy: Fial", "w:9:5: error: expected `failurePolicy`"),
            ("failurePolicy: Fail", "failurePolicy: Ignore", "w:9:5: warning: failurePolicy Ignore"),
            ("[v1]\n    sideE", "[v1beta1]\n    sideE", "w:9:5: error: expected `admissionReviewVersions`"),
            ("timeoutSeconds: 10", "timeoutSeconds: 60", "expected 1 to 30 seconds"),
            ("path: /inject", "path: /", "w:11:16: error: expected `path`: /inject"),
            ("      caBundle: Zm9v\n", "", "warning: there is no `caBundle`"),
            ("operations: [UPDATE]", "operations: [CREATE]", "expected a rule for UPDATE pods/ephemeralcontainers"),
            (#"{apiGroups: [""], apiVersions: [v1], operations: [CREATE]"#, "{operations: [CREATE]", "CREATE pods"),
            ("{matchLabels: {postern.dev/inject: enabled}}", "{}", "expected a `namespaceSelector`"),
            ("clientConfig:", "client:", "expected `clientConfig`"),
            ("k8s.io/v1\n", "k8s.io/v1beta1\n", "expected `apiVersion`"),
            ("webhooks:", "webhook:", "it has no `webhooks`"),
        ])
    func flaws(_ part: String, _ flawed: String, _ message: String) throws {
        try #require(Self.sound.contains(part))
        let result = try WebhookCheck.flaws(in: Array(Self.sound.replacing(part, with: flawed).utf8), file: "w")
        #expect(result.flaws.contains { "\($0)".contains(message) }, "\(result.flaws)")
    }
}
