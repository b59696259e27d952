import Loopback
import PosternTesting
import Testing

/// Load balancers that nobody here wrote, in front of an inbound listener, and clients that only pretend to be one.
@Suite("Behind a load balancer")
struct LoadBalancerTests {
    enum Balancer: String, CaseIterable, CustomTestStringConvertible {
        case haproxyV1 = "send-proxy"
        case haproxyV2 = "send-proxy-v2 proxy-v2-options crc32c,unique-id"
        case nginx

        var testDescription: String { "\(self)" }
    }

    private static let otherSource = """
        policies:
          callers:
            rules:
              - name: from-two
                action: allow
                identities: ["spiffe://example.org/ns/default/sa/client"]
                sources: ["127.0.0.2"]

        """

    @Test(
        "policy and access log speak of the client, whichever balancer names it",
        arguments: Balancer.allCases, EventLoopKind.allCases)
    func named(balancer: Balancer, loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.behindBalancer(application.address)])
            settings.policies = Self.otherSource
            let proxy = try stage.proxy(settings)
            let front = try start(balancer, to: proxy.address("in"), stage)
            let client = try OpenSSLClient(
                to: front, as: .client, folder: stage.folder, options: ["-bind", "127.0.0.2:0", "-no_ign_eof"])
            #expect(client.echoes("hello\n"))
            client.finish()
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect(line.source?.hasPrefix("127.0.0.2:") == true && line.rule == "from-two", "\(line)")
            #expect(line.balancer?.hasPrefix("127.0.0.1:") == true && line.bytesToUpstream == 6)
            // The same client from the balancer's own address is another source.
            let other = try OpenSSLClient(to: front, as: .client, folder: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "policy-denied" }.source?.hasPrefix("127.0.0.1:") == true)
            _ = (client.process.awaitExit(), other.process.awaitExit())
        }
    }

    @Test("a header is taken as it comes, byte by byte too", arguments: EventLoopKind.allCases)
    func trickled(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.behindBalancer(application.address)]))
            let relay = try stage.keep(
                Relay(to: proxy.address("in"), .byteByByte, prologue: "PROXY TCP4 127.0.0.3 127.0.0.1 1000 443\r\n"))
            let client = try OpenSSLClient(
                to: relay.address, as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(client.echoes("hello\n"))
            client.finish()
            #expect(try proxy.accessLine { $0.reason == "finished" }.source == "127.0.0.3:1000")
            _ = client.process.awaitExit()
        }
    }

    @Test("a health check of the balancer's own is seen as that", arguments: EventLoopKind.allCases)
    func local(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.behindBalancer(application.address)]))
            let relay = try stage.keep(Relay(to: proxy.address("in"), .plain, prologue: "PROXY UNKNOWN\r\n"))
            let client = try OpenSSLClient(
                to: relay.address, as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            #expect(client.echoes("hello\n"))
            client.finish()
            let line = try proxy.accessLine { $0.reason == "finished" }
            #expect(line.source?.hasPrefix("127.0.0.1:") == true && line.balancer == nil)
            _ = client.process.awaitExit()
        }
    }

    @Test(
        "whoever sends no header, a wrong one, or one that does not end, reaches nothing",
        arguments: EventLoopKind.allCases)
    func hostile(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [.behindBalancer(application.address)], limits: ["handshakeTimeout": "1s"]))
            let address = try proxy.address("in")
            var damaged: [UInt8] = [
                0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A, 0x21, 0x11, 0, 19,
            ]
            damaged += [127, 0, 0, 3, 127, 0, 0, 1, 3, 232, 1, 187, 3, 0, 4, 1, 2, 3, 4]  // the checksum is wrong
            for bytes: [UInt8] in [
                [22, 3, 1, 0, 5, 1, 0, 0, 1, 0], damaged, Array("PROXY TCP4 127.0.0.3 ::1 1 1\r\n".utf8),
            ] {
                let connection = try TCPConnection.connect(to: address)
                try connection.send(bytes)
                #expect(connection.awaitEnd() != .stillOpen)
                let line = try proxy.accessLine { $0.reason == "handshake-failed" }
                #expect(line.code == "proxy-header" && line.source?.hasPrefix("127.0.0.1:") == true)
            }
            let slow = try TCPConnection.connect(to: address)
            try slow.send(Array("PROXY TCP4 1.1.1.1".utf8))
            #expect(slow.awaitEnd() != .stillOpen)
            #expect(try proxy.accessLine { $0.reason == "handshake-timeout" }.balancer == nil)
            #expect(!application.awaitAccepted(1, within: .zero))
        }
    }

    @Test("a header from anyone who is not a listed balancer is not TLS", arguments: EventLoopKind.allCases)
    func stranger(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.behindBalancer(application.address, from: "192.0.2.0/24")]))
            let front = try start(.haproxyV2, to: proxy.address("in"), stage)
            let through = try OpenSSLClient(to: front, as: .client, folder: stage.folder)
            let line = try proxy.accessLine { $0.reason == "handshake-failed" }
            #expect(line.source?.hasPrefix("127.0.0.1:") == true && line.balancer == nil)
            // A client of its own is served as ever.
            let direct = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(direct.echoes("hello\n"))
            direct.process.stop()
            _ = through.process.awaitExit()
        }
    }

    @Test(
        "a balancer that is listed no more is not believed: in the middle of its header, about a client, or anew",
        arguments: EventLoopKind.allCases)
    func removed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let settings = { (block: String) in
                SettingsFile(listeners: [.behindBalancer(application.address, from: block)], admin: true)
            }
            let proxy = try stage.proxy(settings("127.0.0.0/8"))
            let address = try proxy.address("in")
            let relay = try stage.keep(
                Relay(to: address, .plain, prologue: "PROXY TCP4 127.0.0.3 127.0.0.1 1000 443\r\n"))
            let named = try OpenSSLClient(to: relay.address, as: .client, folder: stage.folder)
            #expect(named.echoes("hello\n"))
            let slow = try TCPConnection.connect(to: address)
            try slow.send("PROXY TCP4 127.0.0.3 127.0.".utf8)
            #expect(try eventually { try proxy.metric("postern_connections_opened_total") == 2 })

            try proxy.reload(settings("192.0.2.0/24"), in: stage.folder)
            // The worker has taken the settings over: "reloaded" may be logged before.
            let closed = try proxy.accessLine { $0.reason == "policy-changed" }
            #expect(closed.source == "127.0.0.3:1000")
            #expect(closed.detail == "the load balancer that named its source is not listed any more")
            try slow.send("0.1 1001 443\r\n".utf8)
            #expect(slow.awaitEnd() != .stillOpen)
            let cut = try proxy.accessLine { $0.reason == "handshake-failed" }
            #expect(cut.code == "proxy-header" && cut.detail == "the load balancer is not listed any more")
            #expect(cut.source?.hasPrefix("127.0.0.1:") == true && cut.balancer == nil)
            let late = try OpenSSLClient(to: relay.address, as: .client, folder: stage.folder)
            let refused = try proxy.accessLine { $0.reason == "handshake-failed" }
            #expect(refused.source?.hasPrefix("127.0.0.1:") == true && refused.code != "proxy-header")
            _ = (named.process.awaitExit(), late.process.awaitExit())
            #expect(application.acceptedCount == 1)
        }
    }

    private func start(_ balancer: Balancer, to target: SocketAddress, _ stage: Stage) throws -> SocketAddress {
        let front = SocketAddress(port: try TCPListener.freePort())
        let process = try balancer == .nginx ? nginx(front, target, stage) : haproxy(balancer, front, target, stage)
        _ = stage.keep(process)
        // Its connection carries nothing: the proxy closes it without a trace in the application.
        guard eventually({ (try? TCPConnection.connect(to: front)) != nil }) else {
            throw HarnessFault.peerNotReady("\(balancer)", log: process.standardError.text)
        }
        return front
    }

    private func haproxy(
        _ balancer: Balancer, _ front: SocketAddress, _ target: SocketAddress, _ stage: Stage
    ) throws -> ChildProcess {
        let path = try stage.folder.write(
            """
            defaults
                mode tcp
                unique-id-format %[uuid()]
                timeout connect 5s
                timeout client 60s
                timeout server 60s
            listen balancer
                bind \(front)
                server proxy \(target) \(balancer.rawValue)

            """, to: "balancer.cfg")
        return try ChildProcess(["haproxy", "-db", "-f", path])
    }

    private func nginx(_ front: SocketAddress, _ target: SocketAddress, _ stage: Stage) throws -> ChildProcess {
        let root = stage.folder.path
        let path = try stage.folder.write(
            """
            load_module /usr/lib/nginx/modules/ngx_stream_module.so;
            daemon off; master_process off; pid \(root)/nginx.pid; error_log \(root)/nginx.log;
            events { worker_connections 64; }
            stream { server { listen \(front); proxy_pass \(target); proxy_protocol on; } }

            """, to: "balancer.conf")
        return try ChildProcess(["nginx", "-p", root, "-c", path])
    }
}

extension SettingsFile.Listener {
    fileprivate static func behindBalancer(
        _ endpoint: SocketAddress, _ extra: String? = nil, from block: String = "127.0.0.0/8"
    ) -> Self {
        var listener = inbound(
            "in", upstream: "{endpoints: [\"\(endpoint)\"]\(extra.map { ", \($0)" } ?? "")}", policy: "callers")
        listener.text += "\n    acceptProxyProtocol: {from: [\"\(block)\"]}"
        return listener
    }
}
