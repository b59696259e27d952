import Foundation
import KubernetesAPI
import KubernetesMock
import Loopback
import PosternTesting

/// An API server with PosternPolicies, a kubelet that mounts ConfigMaps, and `postern-controller`.
final class PolicyCluster {
    let mock: MockAPIServer
    let client: APIClient
    private(set) var controller: ChildProcess
    private let mounts: String

    init(_ folder: TemporaryFolder) throws {
        mounts = folder.file("mounts")
        let manifests = try PosternBinary.run(
            ["kubernetes", "manifests", "--set", "controller.enabled=true"], in: folder)
        let roles = try folder.write(manifests.output, to: "manifests.yaml")
        mock = try MockAPIServer(
            folder, definitions: [Self.definition()], kubelet: mounts, access: (roles, "postern-controller/"))
        client = APIClient(
            try APIServer(url: mock.url, authorities: mock.authorities, tokenFile: mock.tokenFile), userAgent: "test")
        controller = try Self.start(mock)
    }

    deinit { controller.stop() }

    /// Ends the controller by SIGTERM.
    func stopController() -> ProcessExit? {
        controller.signal(SIGTERM)
        return controller.awaitExit(within: .seconds(10))
    }

    func startController() throws { controller = try Self.start(mock) }

    /// The file that the kubelet mounts into pods with these settings.
    func file(_ namespace: String, _ settings: String) -> String { "\(mounts)/\(namespace)/\(settings)/postern.yaml" }

    func text(_ namespace: String, _ settings: String) -> String {
        (try? String(contentsOfFile: file(namespace, settings), encoding: .utf8)) ?? ""
    }

    func settings(_ namespace: String, _ text: String) throws {
        try client.create(
            [
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": "postern-settings"],
                "data": ["postern.yaml": .text(text)],
            ], in: ObjectPath(.configMaps, namespace: namespace))
    }

    func pod(_ namespace: String, _ name: String, app: String, settings: String) throws {
        try client.create(
            [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": .text(name), "labels": ["app": .text(app)]],
                "spec": [
                    "containers": [["name": "application", "image": "application"]],
                    "volumes": [["name": "postern-settings", "configMap": ["name": .text(settings)]]],
                ],
            ], in: ObjectPath(.pods, namespace: namespace))
    }

    func deletePod(_ namespace: String, _ name: String) throws {
        try client.delete(ObjectPath(.pods, namespace: namespace, name: name))
    }

    /// Creates a policy for all pods of a namespace, or replaces its rules.
    func policy(_ namespace: String, _ name: String, _ rules: [(name: String, action: String, identity: String)]) throws
    {
        let list = rules.map { rule -> JSONValue in
            ["name": .text(rule.name), "action": .text(rule.action), "identities": [.text(rule.identity)]]
        }
        let spec: JSONValue = ["selector": [:], "rules": .list(list)]
        let path = ObjectPath(Self.policies, namespace: namespace, name: name)
        if (try? client.get(path, as: JSONValue.self)) != nil {
            try client.patch(path, .merge, ["spec": spec])
        } else {
            let object: JSONValue = [
                "apiVersion": "postern.dev/v1alpha1", "kind": "PosternPolicy", "metadata": ["name": .text(name)],
                "spec": spec,
            ]
            try client.create(object, in: ObjectPath(Self.policies, namespace: namespace))
        }
    }

    func deletePolicy(_ namespace: String, _ name: String) throws {
        try client.delete(ObjectPath(Self.policies, namespace: namespace, name: name))
    }

    /// Waits until a condition of the newest version of a policy has a status; returns its message, or what there is.
    func awaits(_ namespace: String, _ name: String, _ type: String, _ status: String) throws -> (
        holds: Bool, message: String
    ) {
        var message = ""
        let holds = try eventually(within: .seconds(20)) {
            let policy: JSONValue = try client.get(ObjectPath(Self.policies, namespace: namespace, name: name))
            let conditions = policy["status"]?["conditions"]?.list ?? []
            let found = conditions.first { $0["type"]?.text == type }
            message = found?["message"]?.text ?? "\(policy)"
            return found?["status"]?.text == status
                && found?["observedGeneration"] == policy["metadata"]?["generation"]
        }
        return (holds, message)
    }

    /// The controller's, as Prometheus reads them.
    func metrics() throws -> [String: String] { try Metrics.samples(at: "127.0.0.1:\(adminPort())") }

    /// The answer of the controller's admin endpoint.
    func ask(_ path: String) throws -> String {
        let connection = try TCPConnection.connect(to: SocketAddress(port: adminPort()))
        try connection.send("GET \(path) HTTP/1.0\r\n\r\n".utf8)
        return String(decoding: try connection.receiveToEnd(), as: UTF8.self)
    }

    private func adminPort() throws -> UInt16 {
        let port = controller.standardError.awaitLine { line in
            line.firstMatch(of: /"adminPort":(\d+)/).flatMap { UInt16($0.1) }
        }
        guard let port else { throw HarnessFault.noLogEvent("serving", log: controller.standardError.text) }
        return port
    }

    private static func start(_ mock: MockAPIServer) throws -> ChildProcess {
        try ChildProcess([
            try ControllerBinary.path(), "run", "--server", mock.url, "--server-ca", mock.authorities, "--token-file",
            mock.tokenFile, "--admin-listen", "127.0.0.1:0",
        ])
    }

    private static func definition(_ file: String = #filePath) -> String {
        let root = file.components(separatedBy: "/Tests/EndToEnd/").dropLast().joined(separator: "/Tests/EndToEnd/")
        return "\(root)/Sources/Kubernetes/Chart/crds/posternpolicies.yaml"
    }

    private static let policies = ObjectPath.Resource(
        group: "postern.dev", version: "v1alpha1", plural: "posternpolicies")
}

enum ControllerBinary {
    /// Beside the proxy's, or as `POSTERN_CONTROLLER` says.
    static func path() throws -> String {
        let beside = URL(fileURLWithPath: try PosternBinary.path()).deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["POSTERN_CONTROLLER"]
            ?? beside.appendingPathComponent("postern-controller").path
        guard FileManager.default.isExecutableFile(atPath: path) else { throw HarnessFault.noBinary(path) }
        return path
    }
}
