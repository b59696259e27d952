import Foundation
import KubernetesMock
import PosternTesting
import Testing

@testable import KubernetesAPI

/// Against an API server in Python that validates what is written by the schemas of Kubernetes.
@Suite("A client of the Kubernetes API")
struct APIClientTests {
    private struct Named: APIObject {
        var metadata: ObjectMetadata
        var data: [String: String]?
    }

    private let folder: TemporaryFolder
    private let mock: MockAPIServer
    private let client: APIClient
    private let maps = ObjectPath(.configMaps, namespace: "shop")

    init() throws {
        folder = try TemporaryFolder()
        mock = try MockAPIServer(folder)
        let server = try APIServer(url: mock.url, authorities: mock.authorities, tokenFile: mock.tokenFile)
        client = APIClient(server, userAgent: "test", patienceMilliseconds: 10_000)
    }

    @Test("creates, reads, updates, patches and deletes, and is told of conflicts and of what is invalid")
    func objects() throws {
        let one = ObjectPath(.configMaps, namespace: "shop", name: "one")
        let made = try client.create(Self.map("one", "text: \u{1F6AA} \u{2028} \"\\"), in: maps)
        #expect(made["metadata"]?["uid"]?.text != nil)
        let read: Named = try client.get(one)
        #expect(read.data == ["a": "text: \u{1F6AA} \u{2028} \"\\"])
        #expect { try client.create(Self.map("one", "b"), in: maps) } throws: {
            ($0 as? APIFault)?.alreadyExists == true
        }

        var changed = made
        changed["data"] = ["a": "2"]
        let updated = try client.update(changed, at: one)
        #expect(updated["metadata"]?["managedFields"] != nil)
        // It is no longer the version that was read.
        #expect { try client.update(made, at: one) } throws: { ($0 as? APIFault)?.isConflict == true }
        let stale: JSONValue = [
            "metadata": ["resourceVersion": made["metadata"]?["resourceVersion"] ?? .null], "data": ["a": "3"],
        ]
        #expect { try client.patch(one, .merge, stale) } throws: { ($0 as? APIFault)?.isConflict == true }
        try client.patch(one, .merge, ["data": ["b": "4"], "metadata": ["labels": ["x": "y"]]])
        try client.patch(one, .json, [["op": "replace", "path": "/data/a", "value": "5"]])
        let patched: Named = try client.get(one)
        #expect(patched.data == ["a": "5", "b": "4"] && patched.metadata.labels == ["x": "y"])

        #expect {
            try client.patch(one, .merge, ["nonsense": 1])
        } throws: {
            guard case APIFault.refused(422, "Invalid", let message, _)? = $0 as? APIFault else { return false }
            return message.contains("nonsense")
        }
        #expect { try client.delete(one, resourceVersion: "1") } throws: { ($0 as? APIFault)?.isConflict == true }
        try client.delete(one, resourceVersion: patched.metadata.resourceVersion)
        #expect { try client.get(one, as: Named.self) } throws: { ($0 as? APIFault)?.isNotFound == true }
    }

    @Test("a Secret and the caBundle of a webhook, as an injector writes them")
    func injector() throws {
        try client.create(
            [
                "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "certificate"], "type": "kubernetes.io/tls",
                "data": ["tls.crt": "YQ==", "tls.key": "YQ=="],
            ], in: ObjectPath(.secrets, namespace: "shop"))
        try client.create(
            [
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
                "metadata": ["name": "injector"],
                "webhooks": [
                    [
                        "name": "a.postern.dev", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                        "clientConfig": ["url": "https://a.example/b"],
                    ]
                ],
            ], in: ObjectPath(.mutatingWebhooks))
        let path = ObjectPath(.mutatingWebhooks, name: "injector")
        let result = try client.patch(
            path, .json, [["op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": "YQ=="]])
        #expect(result["webhooks"]?.list?.first?["clientConfig"]?["caBundle"]?.text == "YQ==")
    }

    @Test("a list has pages, and the token is read anew for each request")
    func pages() throws {
        for number in 0..<7 { try client.create(Self.map("map-\(number)", "x"), in: maps) }
        var names: [String] = []
        var next: String?
        var pages = 0
        repeat {
            let page: APIClient.Page<Named> = try client.page(maps, limit: 3, continuing: next)
            names += page.items.compactMap(\.metadata.name)
            next = page.metadata.continue
            pages += 1
            try mock.reviseToken("token-\(pages + 1)")
        } while next != nil
        #expect(names == (0..<7).map { "map-\($0)" } && pages == 3)
        try folder.write("wrong\n", to: "api-token-2")
        let stranger = APIClient(
            try APIServer(url: mock.url, authorities: mock.authorities, tokenFile: folder.file("api-token-2")),
            userAgent: "x")
        #expect { try stranger.list(maps, as: Named.self) } throws: { ($0 as? APIFault)?.status == 401 }
        try folder.write("a\u{1}b\n", to: "api-token-2")
        #expect { try stranger.list(maps, as: Named.self) } throws: {
            if case APIFault.configuration(let text)? = $0 as? APIFault { !text.contains("a\u{1}b") } else { false }
        }
    }

    @Test(
        "what a server may do wrong is a reason, not a hang",
        arguments: [
            ("429", "429 TooManyRequests"), ("500", "etcdserver: leader changed second line"), ("wrong-status", "503"),
            ("redirect", "302"), ("hang", "took too long"), ("garbage", "not HTTP"), ("not-json", "not the JSON"),
            ("cut", "broke off"), ("close", "broke off"), ("endless", "too large"),
        ])
    func faults(fault: String, reason: String) throws {
        try mock.misbehave([MockAPIServer.Fault("GET", "configmaps", fault)], through: client)
        let hasty = APIClient(client.server, userAgent: "test", patienceMilliseconds: fault == "hang" ? 300 : 10_000)
        #expect {
            try hasty.list(maps, as: Named.self)
        } throws: { error in
            let isExpected = "\(error)".contains(reason)
            if !isExpected { Issue.record("\(error)") }
            return isExpected
        }
        #expect(try client.list(maps, as: Named.self).isEmpty)
    }

    @Test("a server with another name or of another authority is refused")
    func stranger() throws {
        let named = try APIServer(
            url: "https://127.0.0.1:\(mock.port)", authorities: mock.authorities, tokenFile: mock.tokenFile)
        let unknown = try APIServer(url: mock.url, authorities: nil, tokenFile: mock.tokenFile)
        for server in [named, unknown] {
            #expect {
                try APIClient(server, userAgent: "x").list(maps, as: Named.self)
            } throws: {
                "\($0)".contains("certificate is refused")
            }
        }
    }

    @Test("in a cluster it finds the server, the authorities and the namespace")
    func inCluster() throws {
        let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        try folder.write("shop", to: "namespace")
        let server = try APIServer.inCluster(environment: environment, folder: folder.path)
        #expect(server.host == "10.96.0.1" && server.port == 443 && server.namespace == "shop")
        #expect(server.tokenFile == folder.file("token") && server.authorities == folder.file("ca.crt"))
        #expect(throws: APIFault.self) { try APIServer.inCluster(environment: [:], folder: folder.path) }
    }

    @Test("a collection is followed through lost connections, old versions and a server that fails")
    func followed() throws {
        let (client, maps) = (client, maps)
        for number in 0..<5 { try client.create(Self.map("map-\(number)", "0"), in: maps) }
        let seen = Monitor(Seen())
        let thread = BackgroundThread {
            let reader = CollectionReader<Named>(
                client, maps, delays: RetryDelays(firstMilliseconds: 10, longestMilliseconds: 50), watchSeconds: 1,
                pageLimit: 2)
            reader.run { change in
                seen.update { $0.take(change) }
                return seen.read { !$0.isOver }
            }
        }
        defer {
            seen.update { $0.isOver = true }
            _ = try? client.create(Self.map("end", "0"), in: maps)
            thread.join()
        }
        func awaits(_ wanted: [String: String], _ comment: String) {
            let matched: Bool? = seen.wait(within: .seconds(20)) { $0.data == wanted ? true : nil }
            #expect(matched == true, "\(comment): \(seen.read { $0.data })")
        }
        var wanted = Dictionary(uniqueKeysWithValues: (0..<5).map { ("map-\($0)", "0") })
        func change(_ number: Int, _ text: String) throws {
            let path = ObjectPath(.configMaps, namespace: "shop", name: "map-\(number)")
            try client.patch(path, .merge, ["data": ["a": .text(text)]])
            wanted["map-\(number)"] = text
        }
        awaits(wanted, "listed")
        try change(1, "1")
        try client.delete(ObjectPath(.configMaps, namespace: "shop", name: "map-0"))
        wanted["map-0"] = nil
        awaits(wanted, "watched")
        // While the watch is down, things change.
        try mock.control(["disconnect": true], through: client)
        try change(2, "2")
        awaits(wanted, "reconnected")
        try mock.misbehave(
            ["500", "429", "garbage", "close", "not-json", "long-line"].map {
                MockAPIServer.Fault("GET", "watch=1", $0)
            }
                + [MockAPIServer.Fault("GET", "limit=2&continue", "410")], through: client)
        try mock.control(["disconnect": true], through: client)
        try change(3, "3")
        awaits(wanted, "after faults")
        // What happened meanwhile is forgotten, deletions too.
        try mock.misbehave([MockAPIServer.Fault("GET", "watch=1", "500")], through: client)
        try mock.control(["disconnect": true], through: client)
        try client.delete(ObjectPath(.configMaps, namespace: "shop", name: "map-4"))
        wanted["map-4"] = nil
        try mock.control(["compact": true], through: client)
        try change(1, "4")
        awaits(wanted, "listed anew")
        #expect(seen.read { $0.lists } >= 2)
    }

    private struct Seen {
        var data: [String: String] = [:]
        var lists = 0
        var isOver = false

        mutating func take(_ change: CollectionChange<Named>) {
            switch change {
            case .replaced(let objects):
                lists += 1
                data = [:]
                for object in objects { data[object.metadata.name ?? ""] = object.data?["a"] }
            case .changed(let object): data[object.metadata.name ?? ""] = object.data?["a"]
            case .removed(let object): data[object.metadata.name ?? ""] = nil
            case .interrupted: break
            }
        }
    }

    private static func map(_ name: String, _ text: String) -> JSONValue {
        ["apiVersion": "v1", "kind": "ConfigMap", "metadata": ["name": .text(name)], "data": ["a": .text(text)]]
    }
}
