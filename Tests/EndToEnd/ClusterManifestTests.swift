import Foundation
import Loopback
import ManifestTesting
import PosternTesting
import Testing

/// What `postern kubernetes` prints, as Helm, kubectl and the schemas of Kubernetes take it.
@Suite("Manifests of a cluster")
struct ClusterManifestTests {
    @Test("Helm makes of the chart what is printed, Kubernetes' schemas accept it, and nobody may more than needed")
    func chart() throws {
        let folder = try TemporaryFolder()
        let script = try #require(Bundle.module.path(forResource: "chart_check", ofType: "py"))
        let process = try ChildProcess([
            try Self.python(), script, try PosternBinary.path(), try InjectorBinary.path(),
            try ControllerBinary.path(), folder.path,
        ])
        #expect(process.awaitExit(within: .seconds(240)) == .code(0), "\(process.standardError.text)")
        let words = process.standardOutput.text.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 6, "\(process.standardOutput.text)")
        #expect(try #require(Int(words[3])) >= 60)
    }

    @Test("an enrolled namespace has settings that the proxy takes", arguments: ["spiffe-csi", "secret"])
    func namespace(identity: String) throws {
        let folder = try TemporaryFolder()
        let result = try PosternBinary.run(
            [
                "kubernetes", "namespace", "shop", "--trust-domain", "example.org", "--destinations",
                "10.50.0.0/16,10.96.0.0/16,fd50::/16", "--ports", "80,8000-8999", "--identity", identity,
            ], in: folder)
        #expect(result.exit == .code(0), "\(result.errors)")
        let path = try folder.write(result.output, to: "namespace.yaml")
        // The text as Kubernetes would mount it, by a reader that nobody here wrote.
        let kubectl = try Self.kubectl([
            "label", "--local", "--filename", path, "a=b", "--output", "jsonpath={.data.postern\\.yaml}",
        ])
        #expect(kubectl.exit == .code(0), "\(kubectl.errors)")
        var settings = kubectl.output
        var environment: [String: String] = [:]
        if identity == "secret" {
            let issue = ["ca", "issue", "--ca", folder.path, "--out", folder.path, "--name", "tls", "--id"]
            for words in [
                ["ca", "init", "--trust-domain", "example.org", "--out", folder.path],
                issue + ["spiffe://example.org/ns/shop/sa/orders"],
            ] {
                #expect(try PosternBinary.run(words, in: folder).exit == .code(0))
            }
            settings = settings.replacing("/postern-identity/tls.crt", with: folder.file("tls.pem"))
                .replacing("/postern-identity/tls.key", with: folder.file("tls.key"))
                .replacing("/postern-identity/ca.crt", with: folder.file("bundle.pem"))
        } else {
            environment["SPIFFE_ENDPOINT_SOCKET"] = "unix:///spiffe-workload-api/spire-agent.sock"
        }
        let file = try folder.write(settings, to: "postern.yaml")
        let check = try PosternBinary.run(["check", "--config", file], in: folder, environment: environment)
        #expect(check.exit == .code(0), "\(check.output)\(check.errors)\(settings)")
        let question = ["explain", "--config", file, "--listener", "inbound-v4", "--destination", "10.50.0.7:80"]
        for (peer, code) in [("ns/shop/sa/a", Int32(0)), ("ns/other/sa/a", 1)] {
            let answer = try PosternBinary.run(
                question + ["--identity", "spiffe://example.org/\(peer)"], in: folder, environment: environment)
            #expect(answer.exit == .code(code), "\(peer): \(answer.output)\(answer.errors)")
        }
        let rules = try PosternBinary.run(
            ["redirect", "--print", "--config", file, "--user", "1337"], in: folder, environment: environment)
        #expect(rules.exit == .code(0), "\(rules.errors)")
    }

    @Test("kubectl reads what is injected, and its types have a place for each field")
    func injected() throws {
        let folder = try TemporaryFolder()
        var count = 0
        for (number, manifest) in Manifests.all.enumerated() where manifest.text.contains("kind: Deployment") {
            let path = try folder.write(manifest.text, to: "\(number).yaml")
            let injection = try PosternBinary.run(["inject", path], in: folder)
            let after = try folder.write(injection.output, to: "\(number)-injected.yaml")
            // It decodes into the types of Kubernetes, and writes what it has understood.
            let image = ["set", "image", "--local", "--output", "yaml", "postern-proxy=example.org/p:1", "--filename"]
            let result = try Self.kubectl(image + [after])
            guard try Self.kubectl(["label", "--local", "a=b", "--filename", path]).exit == .code(0),
                result.output.contains("example.org/p:1")
            else { continue }
            for part in ["restartPolicy: Always", "postern-identity", "startupProbe", "drop:", "seccompProfile"] {
                #expect(result.output.contains(part), "\(manifest): \(part)")
            }
            count += 1
            if count == 3 { break }
        }
        #expect(count == 3)
    }

    @Test(
        "the commands of the pages run as they are written, and kubectl reads what they print",
        arguments: ["Kubernetes", "Upgrade"])
    func commands(page: String) throws {
        let folder = try TemporaryFolder()
        let tools = folder.file("tools")
        try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(tools)/postern", withDestinationPath: PosternBinary.path())
        let kubectl = try Self.kubectlPath()
        // What needs no cluster is done, and what is sent to one is read.
        let words = """
            #!/bin/bash
            set -eu
            shopt -s extglob
            [[ $1 != --namespace ]] || shift 2
            case "$*" in
            apply*-f\\ -) exec \(kubectl) label --local --filename - checked=yes --output name ;;
            create\\ secret*) exec \(kubectl) "$@" --dry-run=client --output name ;;
            kustomize*) exec \(kubectl) "$@" ;;
            get\\ configmap*)
                postern kubernetes namespace shop --trust-domain example.org --destinations 10.50.0.0/16 --ports 80 |
                    \(kubectl) label --local --filename - checked=yes "${@: -2}" ;;
            patch*)
                printf '{apiVersion: apps/v1, kind: Deployment, metadata: {name: orders}}' |
                    \(kubectl) patch --local --filename - --output yaml "${@: -2}" | grep -q postern.dev/identity-secret ;;
            get*|label*|rollout*) ;;
            *) exit 99 ;;
            esac
            """
        let helm = """
            #!/bin/bash
            set -eu
            case "$1" in
            install|upgrade) [[ $2 == postern && -f $3/Chart.yaml ]] ;;
            rollback|uninstall) ;;
            *) exit 99 ;;
            esac
            """
        for (name, text) in [("kubectl", words), ("helm", helm)] {
            let path = try folder.write(text + "\n", to: "tools/\(name)")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        let path = "\(tools):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"
        var output = ""
        for block in try DocumentedBlock.all(of: page) where block.language == "sh" && !block.text.contains("jq ") {
            let process = try ChildProcess(
                ["bash", "-euo", "pipefail", "-c", block.text], in: folder.path,
                environment: ["PATH": path, "KUBECONFIG": "/dev/null"])
            #expect(process.awaitExit(within: .seconds(30)) == .code(0), "\(block.text)\n\(process.standardError.text)")
            output += process.standardOutput.text
        }
        let expected =
            page == "Kubernetes"
            ? [
                "deployment.apps/postern-injector", "configmap/postern-settings", "secret/orders-svid",
                "--log-level=debug",
            ]
            : ["postern-chart-new"]
        for part in expected { #expect(output.contains(part), "\(part) is not in \(output)") }
    }

    @Test(
        "bad arguments are refused",
        arguments: [
            (["manifests", "--namespace", "A"], "is no name of a namespace"),
            (["manifests", "--values", "/nonexistent.yaml"], "/nonexistent.yaml"),
            (["manifests", "--set", "injector.replica=2"], "did you mean `replicas`?"),
            (["manifests", "--set", "injector.certificate.source=secret"], "caBundle"),
            (["namespace", "a", "--trust-domain", "A B", "--destinations", "::/0", "--ports", "1"], "--trust-domain"),
            (["namespace", "a b", "--trust-domain", "a", "--destinations", "::/0", "--ports", "1"], "is no name"),
            (["namespace", "a", "--trust-domain", "a", "--destinations", "b", "--ports", "1"], "--destinations"),
            (["chart", "/"], "exists already"), (["chart", "/nonexistent/a"], "No such file"),
        ])
    func refusals(_ words: [String], _ part: String) throws {
        let folder = try TemporaryFolder()
        let result = try PosternBinary.run(["kubernetes"] + words, in: folder)
        #expect(result.exit == .code(2) && result.output.isEmpty, "\(result.output)")
        #expect(result.errors.contains(part), "\(result.errors)")
    }

    private static func python() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["POSTERN_PYTHON"], "scripts/test makes the Python that this needs")
    }

    /// It comes from PyPI too.
    private static func kubectlPath() throws -> String {
        URL(fileURLWithPath: try python()).deletingLastPathComponent().appendingPathComponent("kubectl").path
    }

    private static func kubectl(_ words: [String]) throws -> (exit: ProcessExit?, output: String, errors: String) {
        let process = try ChildProcess([try kubectlPath(), "--kubeconfig", "/dev/null"] + words)
        let exit = process.awaitExit(within: .seconds(30))
        return (exit, process.standardOutput.text, process.standardError.text)
    }
}
