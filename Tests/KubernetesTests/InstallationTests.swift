import Foundation
import Policy
import Settings
import Testing

@testable import Kubernetes

@Suite("The manifests of a cluster")
struct InstallationTests {
    @Test("the chart in the program is the folder, file by file")
    func files() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Kubernetes/Chart")
        let found = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        let files = found.filter { !sources.appendingPathComponent($0).hasDirectoryPath }
        #expect(Set(ChartFile.all.map(\.path)) == Set(files))
        for file in ChartFile.all {
            #expect(try Data(contentsOf: sources.appendingPathComponent(file.path)) == Data(file.bytes), "\(file.path)")
        }
    }

    @Test("each default has its place in the schema, and each value of the schema its default")
    func defaults() throws {
        func names(_ node: SourceNode?, in path: String = "") -> [String] {
            (node?.entries ?? []).flatMap { entry -> [String] in
                let name = "\(path).\(entry.key.text ?? "")"
                let properties = entry.value.value("properties")
                return [name] + (properties.map { names($0, in: name) } ?? [])
            }
        }
        for name in names(ChartFile.schema.root.value("properties")) where name != ".global" {
            #expect(ChartValues().root.value(at: name.split(separator: ".").map(String.init)) != nil, "\(name)")
        }
    }

    @Test("a file of values replaces mappings key by key, and lists as a whole")
    func merging() throws {
        var values = ChartValues()
        let text = """
            injector: {replicas: 4, resources: {limits: {cpu: "1"}}}
            webhook:
              excludedNamespaces: [a]
            controller:
            """
        try values.merge(Array(text.utf8), file: "v.yaml")
        try values.merge([], file: "empty.yaml")
        try values.set("injector.certificate.secretName=a=b")
        try values.set("injector.priorityClassName=")
        try values.set("serviceMonitor.enabled=true")
        let text2 = try Installation(namespace: "mesh", values: values).manifests()
        for part in [
            "replicas: 4", "memory: \"64Mi\"", "cpu: \"1\"", "--certificate-secret", "ServiceMonitor", "- \"a\"",
        ] {
            #expect(text2.contains(part), "\(part)")
        }
        #expect(text2.contains("\"a=b\"") && !text2.contains("kube-node-lease") && !text2.contains("priorityClassName"))
    }

    @Test(
        "a flawed file of values is refused at its place",
        arguments: [
            ("injector:\n  replica: 3", "v.yaml:2:3", "did you mean `replicas`?"),
            ("injector: 3", "v.yaml:1:11", "expected a mapping"), ("- a", "v.yaml:1:1", "expected a mapping"),
            ("injector: {replicas: 3, replicas: 4}", "v.yaml:1:25", "a second key"),
            ("injector: {replicas: 0}", "v.yaml:1:22", "expected a number from 1 to 100, found `0`"),
            ("webhook: {failurePolicy: Never}", "v.yaml:1:26", "expected Fail, Ignore, found `Never`"),
            ("namespace: {create: yes}", "v.yaml:1:21", "expected true or false"),
            ("injector: {podAnnotations: {a: yes}}", "v.yaml:1:32", "several readings"),
            ("injector: {podAnnotations: {a: 010}}", "v.yaml:1:32", "several readings"),
            ("injector: {nodeSelector: {a: 1.5}}", "v.yaml:1:30", "several readings"),
            ("injector: {tolerations: {a: b}}", "v.yaml:1:25", "expected a list"),
            ("a: &a {b: c}\n<<: *a", "v.yaml:1:1", "there is no value `a`"), ("a: [", "v.yaml:2:1", "not YAML"),
            ("injector: {}\n---\ninjector: {}", "v.yaml:3:1", "a second document"),
        ])
    func flaws(_ text: String, _ place: String, _ part: String) throws {
        var values = ChartValues()
        let flaw = #expect(throws: SettingsFlaw.self) { try values.merge(Array(text.utf8), file: "v.yaml") }
        let description = flaw?.description ?? ""
        #expect(description.contains(part), "\(description)")
        #expect(description.hasPrefix(place + ":"), "\(description)")
    }

    @Test(
        "a flawed assignment is refused",
        arguments: [
            ("injector.replicas", "expected KEY=VALUE"), ("=3", "expected KEY=VALUE"),
            ("injector.replica=3", "did you mean `replicas`?"), ("injector.replicas=03", "expected a number"),
            ("injector.replicas.a=3", "set it with --values"), ("injector=3", "set with --values"),
            ("webhook.failurePolicy=fail", "expected Fail, Ignore"), ("namespace.create=yes", "expected true or false"),
            ("injector.nodeSelector.a=b", "set it with --values"), ("injector..replicas=3", "there is no value ``"),
        ])
    func assignments(_ text: String, _ part: String) throws {
        var values = ChartValues()
        let flaw = #expect(throws: ChartFlaw.self) { try values.set(text) }
        #expect(flaw?.description.contains(part) == true, "\(String(describing: flaw))")
    }

    @Test("a name that is none of a namespace is refused", arguments: ["", "A", "a.b", "a_b", "-a", "a\nb"])
    func names(_ name: String) {
        #expect(throws: ChartFlaw.self) { try Installation(namespace: name, values: ChartValues()) }
        #expect(throws: ChartFlaw.self) {
            try Enrolment(
                namespace: name, trustDomain: "example.org", destinations: [CIDR(parsing: "10.0.0.0/8")],
                ports: [PortRange(parsing: "80")], identity: .csi)
        }
    }
}
