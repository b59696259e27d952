import Foundation
import Loopback
import PosternTesting
import Testing

/// A listener during a migration: clients of mutual TLS and of plaintext, none of which anyone here wrote.
@Suite("A permissive listener")
struct PermissiveTests {
    private static let legacy = """
        policies:
          callers:
            mode: audit
            rules:
              - name: callers
                action: allow
                identities: ["spiffe://example.org/ns/default/sa/client"]
              - {name: legacy, action: allow, unauthenticated: true, sources: ["127.0.0.1/32"]}

        """

    private func settings(
        _ endpoint: SocketAddress, _ keys: String = "", upstream: String = "", permissive: Bool = true
    ) -> SettingsFile {
        var listener = SettingsFile.Listener.inbound(
            "in", upstream: "{endpoints: [\"\(endpoint)\"]\(upstream)}", policy: "callers")
        if permissive { listener.text += "\n    clientCertificates: permissive\n    \(keys)" }
        var settings = SettingsFile(listeners: [listener])
        settings.policies = Self.legacy
        settings.admin = true
        return settings
    }

    @Test(
        "serves both on one port, and says in log and metric what was not protected",
        arguments: EventLoopKind.allCases)
    func both(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.web("hello"))
            let proxy = try stage.proxy(settings(application.address))
            let address = try proxy.address("in")
            let metric = "postern_connections_unauthenticated_total{listener=\"in\",route=\"application\"}"
            #expect(try proxy.metric(metric) == 0)
            let curl = try ChildProcess(["curl", "--silent", "--max-time", "10", "http://\(address)/"])
            #expect(curl.awaitExit() == .code(0) && curl.standardOutput.text == "hello")
            let plain = try proxy.accessLine { $0.reason == "finished" }
            #expect(plain.protected == false && plain.rule == "legacy" && plain.decision == "allow", "\(plain)")
            #expect(plain.peerId == nil && plain.tlsVersion == nil && plain.bytesFromUpstream > 5)
            let secure = try ChildProcess([
                "curl", "--silent", "--max-time", "10", "--insecure", "https://\(address)/", "--cert",
                stage.folder.file("client-both.pem"),
            ])
            #expect(secure.awaitExit() == .code(0) && secure.standardOutput.text == "hello")
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect(line.protected == nil && line.rule == "callers" && line.peerId != nil, "\(line)")
            #expect(try proxy.metric(metric) == 1)
            // What no rule lets in, a policy that only audits refuses all the same.
            let other = try ChildProcess(
                ["curl", "--silent", "--max-time", "10", "--interface", "127.0.0.2", "http://\(address)/"])
            #expect(other.awaitExit() != .code(0))
            let denied = try proxy.accessLine { $0.reason == "policy-denied" }
            #expect(denied.protected == false && denied.decision == "deny", "\(denied)")
            #expect(denied.detail == "the client sent plaintext, and no rule lets it in unauthenticated")
            #expect(application.acceptedCount == 2)
            #expect(try proxy.metric(metric) == 1)
        }
    }

    @Test("tells the application what was not protected", arguments: EventLoopKind.allCases)
    func told(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try ProxyApplication(stage)
            let proxy = try stage.proxy(settings(application.address, upstream: ", sendProxyProtocol: v2"))
            let client = try TCPConnection.connect(to: proxy.address("in"))
            try client.send("hello".utf8)
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            client.finishSending()
            #expect(client.awaitEnd() == .finished)
            let told = try application.header(0)
            #expect(told["error"] == nil && told["identity"] as? String == "", "\(told)")
            #expect(told["verified"] as? Bool == false && told["tlsVersion"] as? String == "")
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect((told["source"] as? String)?.replacing(" ", with: ":") == line.source)
            #expect(line.bytesToUpstream == 5 && line.bytesFromUpstream == 5)
        }
    }

    @Test(
        "lets a server speak first: at once on the ports that say so, else when the client stays silent",
        arguments: EventLoopKind.allCases)
    func serverFirst(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.greets("220 ready\r\n"))
            for keys in ["detectionTimeout: 20ms", "{port}"] {
                let port = try TCPListener.freePort()
                var file = settings(
                    application.address, keys == "{port}" ? "detectionTimeout: 10s\n    serverFirst: [\(port)]" : keys)
                file.listeners[0].text = file.listeners[0].text.replacing("127.0.0.1:0", with: "127.0.0.1:\(port)")
                let proxy = try stage.proxy(file)
                let client = try TCPConnection.connect(to: proxy.address("in"))
                #expect(try client.receive(exactly: 11, within: .seconds(5)) == Array("220 ready\r\n".utf8))
                try client.send("QUIT".utf8)
                #expect(try client.receive(exactly: 4) == Array("QUIT".utf8))
                client.finishSending()
                #expect(client.awaitEnd() == .finished)
                #expect(try proxy.accessLine { $0.reason == "finished" }.protected == false)
                // A client of mutual TLS that speaks in time is served as ever; on such a port it is not.
                guard keys != "{port}" else { continue }
                let secure = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
                #expect(secure.receives("220 ready\r\n"))
                secure.process.stop()
            }
        }
    }

    @Test(
        "loses no byte of a client that speaks while its application is being dialled, or right behind a balancer's header",
        arguments: EventLoopKind.allCases)
    func early(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let port = try TCPListener.freePort()
            var file = settings(
                application.address, "serverFirst: [\(port)]\n    acceptProxyProtocol: {from: [\"127.0.0.0/8\"]}")
            file.listeners[0].text = file.listeners[0].text.replacing("127.0.0.1:0", with: "127.0.0.1:\(port)")
            file.policies = file.policies.replacing("127.0.0.1/32", with: "10.0.0.0/8")
            let proxy = try stage.proxy(file)
            for first in ["hello", "\u{16}\u{3}\u{1}"] {
                let client = try TCPConnection.connect(to: proxy.address("in"))
                // One segment: the header, and what the client said at once.
                try client.send(Array("PROXY TCP4 10.0.0.1 127.0.0.1 1 2\r\n\(first)".utf8))
                #expect(try client.receive(exactly: first.utf8.count) == Array(first.utf8))
                client.finishSending()
                #expect(client.awaitEnd() == .finished)
                #expect(try proxy.accessLine { $0.reason == "finished" }.source == "10.0.0.1:1")
            }
        }
    }

    @Test(
        "forwards what a client said after its silence, while it still waited for its application",
        arguments: EventLoopKind.allCases)
    func late(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var file = settings(
                application.address, "detectionTimeout: 20ms", upstream: ", connectionsPerEndpoint: 1")
            file.limits = ["connectTimeout": "30s"]
            let proxy = try stage.proxy(file)
            let holder = try TCPConnection.connect(to: proxy.address("in"))
            try holder.send("first".utf8)
            #expect(try holder.receive(exactly: 5) == Array("first".utf8))
            let client = try TCPConnection.connect(to: proxy.address("in"))
            let metric = "postern_connections_unauthenticated_total{listener=\"in\",route=\"application\"}"
            #expect(try eventually { try proxy.metric(metric) == 2 })
            // It is taken for plaintext, and waits for the place that the first one has.
            try client.send("hello".utf8)
            holder.finishSending()
            #expect(holder.awaitEnd() == .finished)
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            client.finishSending()
            #expect(client.awaitEnd() == .finished)
            let line = try proxy.accessLines(2).last
            #expect(line?.bytesToUpstream == 5 && line?.bytesFromUpstream == 5, "\(String(describing: line))")
        }
    }

    @Test("passes TLS for other names through untouched, and terminates its own", arguments: EventLoopKind.allCases)
    func terminate(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = stage.keep(try OpenSSLServer(as: .server, folder: stage.folder))
            let proxy = try stage.proxy(settings(server.address, "terminate: [\"*.mesh.test\", app.test]"))
            let relay = try stage.keep(Relay(to: proxy.address("in"), .byteByByte))
            for address in [try proxy.address("in"), relay.address] {
                let through = try OpenSSLClient(
                    to: address, as: .client, folder: stage.folder,
                    options: ["-servername", "other.test", "-no_ign_eof"])
                through.send("hello\n")
                #expect(through.receives("olleh\n"))
                through.finish()
                let line = try proxy.accessLine { $0.reason == "finished" }
                #expect(line.protected == false && line.sni == "other.test" && line.tlsVersion == nil, "\(line)")
                _ = through.process.awaitExit()
                let ours = try OpenSSLClient(
                    to: address, as: .client, folder: stage.folder, options: ["-servername", "app.test"])
                // The application of this test speaks TLS, and refuses the plaintext that it gets.
                ours.send("hello\n")
                let own = try proxy.accessLine { $0.sni == "app.test" }
                #expect(own.protected == nil && own.tlsVersion == "1.3" && own.rule == "callers", "\(own)")
                _ = ours.process.awaitExit()
            }
        }
    }

    @Test("ends TLS that passes through once its name is one to terminate", arguments: EventLoopKind.allCases)
    func terminateLater(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = stage.keep(try OpenSSLServer(as: .server, folder: stage.folder))
            let proxy = try stage.proxy(settings(server.address, "terminate: [app.test]"))
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-servername", "other.test"])
            client.send("hello\n")
            #expect(client.receives("olleh\n"))
            try proxy.reload(settings(server.address, "terminate: [app.test, \"*.mesh.test\"]"), in: stage.folder)
            client.send("again\n")
            #expect(client.receives("olleh\nniaga\n"))
            try proxy.reload(settings(server.address, "terminate: [app.test, other.test]"), in: stage.folder)
            let line = try proxy.accessLine { $0.sni == "other.test" }
            #expect(line.reason == "policy-changed" && line.protected == false, "\(line)")
            #expect(line.detail?.contains("terminate") == true)
            _ = client.process.awaitExit()
        }
    }

    @Test("a client that resets while its endpoint is dialled is no failure of that", arguments: EventLoopKind.allCases)
    func resets(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let hole = try BlackHole(.v4, port: 0)
            let nobody = SocketAddress(port: try TCPListener.freePort())
            let upstream = ", \"\(nobody)\"], balance: first, health: {failures: 1}"
            var settings = settings(hole.address, "detectionTimeout: 1ms")
            settings.listeners[0].text.replace("\"]", with: "\"" + upstream, maxReplacements: 1)
            settings.limits = ["connectTimeout": "1m"]
            let proxy = try stage.proxy(settings)
            for _ in 0..<3 {
                let client = try TCPConnection.connect(to: proxy.address("in"))
                // Silent, as one that waits for the server to speak.
                pauseMilliseconds(200)
                client.reset()
                #expect(try proxy.accessLine().reason == "peer-reset")
            }
            #expect(try proxy.metric("postern_endpoints_ejected{listener=\"in\",route=\"application\"}") == 0)
            withExtendedLifetime(hole) {}
        }
    }

    @Test("ends plaintext, and nothing else, once it requires certificates", arguments: EventLoopKind.allCases)
    func strict(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(settings(application.address))
            let plain = try TCPConnection.connect(to: proxy.address("in"))
            try plain.send("hello".utf8)
            #expect(try plain.receive(exactly: 5) == Array("hello".utf8))
            let secure = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(secure.echoes("hello\n"))
            try proxy.reload(settings(application.address, permissive: false), in: stage.folder)
            #expect(plain.awaitEnd() == .reset)
            let line = try proxy.accessLine { $0.reason == "policy-changed" }
            #expect(line.detail == "the listener requires client certificates now" && line.protected == false)
            #expect(secure.echoes("again\n"))
            secure.process.stop()
        }
    }
}
