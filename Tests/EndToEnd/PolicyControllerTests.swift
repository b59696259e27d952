import KubernetesAPI
import KubernetesMock
import Loopback
import PosternTesting
import Testing

/// `postern-controller` between an API server and proxies.
@Suite("The policy controller")
struct PolicyControllerTests {
    private static let client = "spiffe://example.org\(TestIdentities.clientPath)"
    private static let stranger = "spiffe://example.org/ns/default/sa/stranger"

    @Test(
        """
        policies decide about a proxy's connections as they change; a flawed one, a server that fails or forgets, and \
        another namespace open nothing
        """)
    func policies() throws {
        try onStage(.epoll) { stage in
            let application = try stage.application(.echo)
            var file = SettingsFile(listeners: [.inbound(to: application.address)], folder: stage.folder.path)
            file.partnerBundle = ""
            let settings = file.text(loop: .epoll)
            let cluster = stage.keep(try PolicyCluster(stage.folder))
            try cluster.settings("shop", settings)
            try cluster.pod("shop", "orders-1", app: "orders", settings: "orders-policies")
            #expect(eventually { cluster.text("shop", "orders-policies").hasSuffix(settings) })
            let proxy = try stage.proxy(path: cluster.file("shop", "orders-policies"))
            func isLetIn(_ role: TestIdentities.Role) throws -> Bool {
                let peer = try OpenSSLClient(to: proxy.address("in"), as: role, folder: stage.folder)
                defer { peer.process.stop() }
                peer.send("hello\n")
                let line = peer.process.standardOutput.awaitBytes(6, within: .seconds(10))
                return line != nil
            }
            let open = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(open.echoes("by the settings\n"))
            #expect(try !isLetIn(.stranger))

            // A policy: others are let in, and who was in before is cut.
            try cluster.policy("shop", "orders", [("strangers", "allow", Self.stranger)])
            try proxy.awaitReload()
            let cut = try proxy.accessLine { $0.reason == "policy-changed" }
            #expect(cut.peerId == Self.client && open.process.awaitExit() == .code(1))
            #expect(try isLetIn(.stranger))
            #expect(try proxy.accessLine { $0.rule == "orders/strangers" }.policy == "in/application")
            #expect(try cluster.awaits("shop", "orders", "Programmed", "True").holds)

            // Writes that conflict and fail, and watches that begin from a list again.
            try cluster.mock.misbehave(
                [
                    .init("PATCH", "configmaps/orders-policies", "409"), .init("PATCH", "orders/status", "500"),
                    .init("GET", "watch=1", "410"),
                ], through: cluster.client)
            try cluster.mock.control(["compact": true, "disconnect": true], through: cluster.client)
            try cluster.policy(
                "shop", "orders", [("strangers", "deny", Self.stranger), ("clients", "allow", Self.client)])
            try proxy.awaitReload()
            #expect(try isLetIn(.client) && !isLetIn(.stranger))
            #expect(try cluster.awaits("shop", "orders", "Accepted", "True").holds)

            // A flawed version is refused by the API server's schema or, with its place, by the status.
            #expect(throws: APIFault.self) { try cluster.policy("shop", "orders", [("a", "permit", Self.client)]) }
            try cluster.policy("shop", "orders", [("all", "allow", "spiffe://example.org/**/a")])
            let refused = try cluster.awaits("shop", "orders", "Accepted", "False")
            #expect(refused.holds && refused.message.hasPrefix("spec.rules[0].identities[0]: "), "\(refused.message)")

            // Another namespace, in which a policy was flawed from the start.
            let written = cluster.text("shop", "orders-policies")
            try cluster.settings("other", settings)
            try cluster.policy("other", "orders", [("all", "allow", "spiffe://example.org/**/a")])
            try cluster.pod("other", "orders-1", app: "orders", settings: "orders-policies")
            #expect(eventually { cluster.text("other", "orders-policies").contains("orders/not-accepted") })
            #expect(!cluster.text("other", "orders-policies").contains("action: allow"))

            // The server is down, and the controller starts anew meanwhile: nothing changes.
            #expect(try cluster.metrics()["postern_controller_refused_policies{}"] == "2")
            try cluster.mock.control(["down": true], through: cluster.client)
            #expect(cluster.stopController() == .code(0))
            try cluster.startController()
            #expect(try cluster.ask("/readyz").contains("503"))
            #expect(try isLetIn(.client) && !isLetIn(.stranger))
            try cluster.mock.control(["down": false], through: cluster.client)
            #expect(try eventually(within: .seconds(20)) { try cluster.ask("/readyz").contains("200 OK") })
            #expect(cluster.text("shop", "orders-policies") == written)

            // Sound again, and then gone: the settings' own.
            try cluster.policy("shop", "orders", [("strangers", "allow", Self.stranger)])
            try proxy.awaitReload()
            #expect(try isLetIn(.stranger) && !isLetIn(.client))
            try cluster.deletePolicy("shop", "orders")
            try proxy.awaitReload()
            #expect(cluster.text("shop", "orders-policies").hasSuffix(settings))
            #expect(try isLetIn(.client))

            // The last pod ends, and the settings with it. The chart gives the rights that were used, and no others.
            try cluster.deletePod("shop", "orders-1")
            #expect(eventually { cluster.controller.standardError.text.contains("without pods are deleted") })
            let unused = try cluster.mock.unusedRights(through: cluster.client)
            #expect(unused.isEmpty, "\(unused)")
            #expect(cluster.stopController() == .code(0))
        }
    }

    @Test("check says where a policy is flawed, compile prints what comes of it, and what is no policy is no input")
    func check() throws {
        let folder = try TemporaryFolder()
        let policy = """
            apiVersion: postern.dev/v1alpha1
            kind: PosternPolicy
            metadata: {name: orders}
            spec:
              selector: {}
              rules:
                - {name: a, action: allow, identities: ["spiffe://a/**"]}

            """
        for (text, code, message) in [
            (policy, 0, ""),
            (policy.replacing("allow", with: "permit"), 2, "policy.yaml:7:25: error: spec.rules[0].action: "),
            ("kind: Pod\n", 2, "there is no PosternPolicy"), ("a: [", 2, "policy.yaml:"),
        ] as [(String, Int32, String)] {
            let path = try folder.write(text, to: "policy.yaml")
            let process = try ChildProcess([try ControllerBinary.path(), "check", path])
            #expect(process.awaitExit() == .code(code))
            #expect(process.standardError.text.contains(message), "\(process.standardError.text)")
        }
        let path = try folder.write(policy, to: "policy.yaml")
        let base = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}")]).text(loop: .epoll)
        let settings = try folder.write(base, to: "base.yaml")
        let compile = try ChildProcess([try ControllerBinary.path(), "compile", "--settings", settings, path])
        #expect(compile.awaitExit() == .code(0), "\(compile.standardError.text)")
        #expect(compile.standardOutput.text.contains("- \"spiffe://a/**\""), "\(compile.standardOutput.text)")
        for words in [
            ["compile", "--settings", "/nonexistent", path], ["run", "--server", "http://a"],
            ["run", "--token-file", "a"], ["run", "--admin-listen", "a"], ["run"],
        ] {
            let process = try ChildProcess([try ControllerBinary.path()] + words)
            #expect(process.awaitExit() == .code(2), "\(words): \(process.standardError.text)")
        }
    }
}
