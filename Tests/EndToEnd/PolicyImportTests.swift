import Foundation
import Loopback
import PosternTesting
import Testing

/// `postern policy import`, and the proxy's own commands on what it prints.
@Suite("Import of policies")
struct PolicyImportTests {
    @Test("the settings take what is printed, and `explain` decides by it")
    func istio() throws {
        let result = try Self.run(
            Self.arguments + ["--labels", "app=httpbin", "--transparent", "-"], input: Self.istio)
        #expect(result.exit == .code(0), "\(result.complaints)")
        #expect(result.complaints.hasPrefix("-:7:5: warning: this names no trust domain"), "\(result.complaints)")
        let folder = try TemporaryFolder()
        try Self.writeSettings(with: result.output, in: folder)
        #expect(try Self.explain("ns/foo/sa/sleep", port: 9000, in: folder) == .code(0))
        #expect(try Self.explain("ns/foo/sa/sleep", port: 9001, in: folder) == .code(1))
        #expect(try Self.explain("ns/bar/sa/sleep", port: 9000, in: folder) == .code(1))
        #expect(try Self.explain("ns/foo/sa/legacy", port: 9000, in: folder) == .code(1))
    }

    @Test("Linkerd's policies for a port of a workload, and a note where they are narrower")
    func linkerd() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(Self.linkerd, to: "linkerd.yaml")
        let result = try Self.run(
            Self.arguments + ["--labels", "app=httpbin", "--port", "8080", "--port-name", "http", path])
        #expect(result.exit == .code(0), "\(result.complaints)")
        #expect(result.complaints.hasPrefix("\(path):12:1: warning: this demands no identity"), "\(result.complaints)")
        try Self.writeSettings(with: result.output, in: folder)
        #expect(try Self.explain("ns/foo/sa/sleep", port: 15443, in: folder) == .code(0))
        #expect(try Self.explain("ns/foo/sa/sleep", port: 15443, from: "192.0.2.1", in: folder) == .code(1))
    }

    @Test("what is refused leaves no output, and tells the place")
    func refusals() throws {
        let result = try Self.run(
            Self.arguments + ["--labels", "app=httpbin"], input: Self.istio.replacing("ports:", with: "paths:"))
        #expect(result.exit == .code(2) && result.output.isEmpty)
        #expect(result.complaints.hasPrefix("-:12:9: error: `paths` cannot be expressed"), "\(result.complaints)")
    }

    @Test("rules that depend on ports are refused until an option says which listener they are for")
    func ports() throws {
        let arguments = Self.arguments + ["--labels", "app=httpbin"]
        let refused = try Self.run(arguments, input: Self.istio)
        #expect(refused.exit == .code(2) && refused.output.isEmpty)
        #expect(refused.complaints.contains("-:12:16: error: this depends on the application's port"))
        let imported = try Self.run(arguments + ["--port", "9000"], input: Self.istio)
        #expect(imported.exit == .code(0) && !imported.output.contains("destinationPorts"))
        let both = try Self.run(arguments + ["--port", "9000", "--transparent"], input: Self.istio)
        #expect(both.exit == .code(2) && both.complaints.contains("either --port or --transparent"))
    }

    @Test("trust domains and namespaces that decide are asked for")
    func options() throws {
        let arguments = Self.arguments + ["--labels", "app=httpbin", "--port", "9000", "--name", "null"]
        let yaml = Self.istio.replacing("cluster.local", with: "prod.mesh").replacing(
            "no-legacy, namespace: foo", with: "no-legacy, namespace: istio-config")
        let refused = try Self.run(arguments, input: yaml)
        #expect(refused.exit == .code(2) && refused.complaints.contains("`--root-namespace`"), "\(refused.complaints)")
        let root = ["--root-namespace", "istio-config"]
        let unknown = try Self.run(arguments + root, input: yaml)
        #expect(unknown.exit == .code(2) && unknown.complaints.contains("`--mesh-trust-domain prod.mesh`"))
        let imported = try Self.run(
            arguments + root + ["--mesh-trust-domain", "prod.mesh", "--revision", "stable"], input: yaml)
        #expect(imported.exit == .code(0) && imported.output.contains("spiffe://example.org/ns/foo/sa/legacy"))
        #expect(imported.output.contains("\"null\":"))
    }

    @Test(
        "arguments that are none",
        arguments: [
            (["--labels", "app"], "--labels `app`"), (["--port", "0"], "--port is a number"),
            (["--trust-domain", "a/b"], "'a/b' is not a trust domain"), (["--namespace", "a.b"], "are names such as"),
            (["--identity-format", "/{name}"], "'/{name}' is not a path"),
            (["--cluster-networks", "10.0.0.1/8"], "--cluster-networks `10.0.0.1/8`"),
            (["--name", "a: b"], "are names"), (["--revision", "1-29,!"], "--revision `1-29,!`"),
            (["/nonexistent.yaml"], "No such file"),
        ])
    func badArguments(_ words: [String], _ complaint: String) throws {
        let result = try Self.run(Self.arguments + words, input: Self.istio)
        #expect(result.exit == .code(2) && result.output.isEmpty)
        #expect(result.complaints.contains(complaint), "\(result.complaints)")
    }

    private static let arguments = ["policy", "import", "--namespace", "foo", "--trust-domain", "example.org"]

    private struct Result {
        let exit: ProcessExit?
        let output: String
        let complaints: String
    }

    private static func run(_ words: [String], input: String = "") throws -> Result {
        let process = try ChildProcess([try PosternBinary.path()] + words)
        process.write(Array(input.utf8))
        process.closeInput()
        let exit = process.awaitExit(within: .seconds(30))
        return Result(exit: exit, output: process.standardOutput.text, complaints: process.standardError.text)
    }

    private static func writeSettings(with policies: String, in folder: TemporaryFolder) throws {
        let settings = """
            identity:
              files: {certificate: a.pem, privateKey: a.key, trustBundles: {example.org: bundle.pem}}
            listeners:
              - name: in
                mode: inbound
                bind: 127.0.0.1:15443
                routes: [{name: app, upstream: {endpoints: ["127.0.0.1:8080"]}, policy: imported}]

            """
        try folder.write(settings + policies, to: "settings.yaml")
    }

    private static func explain(
        _ path: String, port: Int, from source: String = "10.1.2.3", in folder: TemporaryFolder
    ) throws -> ProcessExit? {
        let result = try run([
            "explain", "--config", folder.path + "/settings.yaml", "--listener", "in", "--identity",
            "spiffe://example.org/\(path)", "--source", source, "--port", String(port),
        ])
        #expect(result.complaints.isEmpty, "\(result.complaints)")
        return result.exit
    }

    private static let istio = """
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: httpbin, namespace: foo}
        spec:
          selector: {matchLabels: {app: httpbin}}
          rules:
          - from:
            - source:
                namespaces: [foo]
            to:
            - operation:
                ports: ["9000"]
        ---
        apiVersion: security.istio.io/v1
        kind: AuthorizationPolicy
        metadata: {name: no-legacy, namespace: foo}
        spec:
          action: DENY
          rules:
          - from:
            - source:
                principals: ["cluster.local/ns/foo/sa/legacy"]

        """

    private static let linkerd = """
        apiVersion: policy.linkerd.io/v1beta3
        kind: Server
        metadata: {name: httpbin, namespace: foo}
        spec: {podSelector: {matchLabels: {app: httpbin}}, port: http}
        ---
        apiVersion: policy.linkerd.io/v1alpha1
        kind: NetworkAuthentication
        metadata: {name: cluster, namespace: foo}
        spec:
          networks: [{cidr: 10.0.0.0/8}]
        ---
        apiVersion: policy.linkerd.io/v1alpha1
        kind: AuthorizationPolicy
        metadata: {name: httpbin, namespace: foo}
        spec:
          targetRef: {group: policy.linkerd.io, kind: Server, name: httpbin}
          requiredAuthenticationRefs:
          - {group: policy.linkerd.io, kind: NetworkAuthentication, name: cluster}

        """
}
