import Loopback
import PosternTesting
import Testing

/// Upstreams whose name has IPv6 addresses, which the system prefers, and IPv4 ones; dnsmasq answers for it.
@Suite("Names with both families")
struct FamilyTests {
    @Test(
        "an IPv6 address that does not answer costs 250 ms once, not the connect timeout",
        arguments: EventLoopKind.allCases)
    func blackhole(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.greets("hello\n"))
            let hole = try BlackHole(port: application.address.port)
            let proxy = try stage.proxy(try inbound(to: application, stage))
            let start = ContinuousClock.now
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.receives("hello\n"))
            #expect(ContinuousClock.now - start < .seconds(5), "the connect timeout is 10 s")
            client.process.stop()
            let line = try proxy.accessLine()
            #expect(line.upstream == "\(application.address)")
            let attempts = try #require(line.attempts)
            #expect(attempts.map(\.outcome) == ["overtaken", "connected"])
            #expect(attempts.map(\.upstream) == ["\(hole.address)", "\(application.address)"])
            #expect(attempts[0].ms >= 250 && attempts[0].ms < 2_000)
            // The family that answered is the first one from now on.
            let next = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(next.receives("hello\n"))
            next.process.stop()
            #expect(try proxy.accessLine().attempts == nil)
            #expect(try proxy.metric("postern_dials_total{outcome=\"overtaken\"}") == 1)
            #expect(try proxy.metric("postern_dials_total{outcome=\"connected\"}") == 2)
            #expect(try proxy.metric("postern_endpoints_ejected{listener=\"in\",route=\"application\"}") == 0)
            withExtendedLifetime(hole) {}
        }
    }

    @Test(
        "one that refuses is followed by the other family at once, also without retries",
        arguments: EventLoopKind.allCases)
    func refused(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(try inbound(to: application, stage, ", retries: 0"))
            try expectStillServes(proxy, stage)
            let attempts = try #require(try proxy.accessLine().attempts)
            #expect(attempts.map(\.outcome) == ["refused", "connected"])
            #expect(attempts[0].upstream == "[::1]:\(application.address.port)")
        }
    }

    @Test("the target of an SRV record races its own families", arguments: EventLoopKind.allCases)
    func services(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.greets("hello\n"))
            let hole = try BlackHole(port: application.address.port)
            let dns = try NameServer(
                ["a.test": ["::1", "127.0.0.1"]], services: ["_app._tcp.test,a.test,\(application.address.port),1,1"],
                in: stage.folder)
            let upstream = """
                {endpoints: ["srv:_app._tcp.test"], allowRemoteUpstream: true, resolve: {every: 1h, \(dns.setting)}}
                """
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound("in", upstream: upstream)], limits: ["connectTimeout": "10s"]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.receives("hello\n"))
            client.process.stop()
            let attempts = try #require(try proxy.accessLine().attempts)
            #expect(attempts.map(\.outcome) == ["overtaken", "connected"])
            #expect(attempts.map(\.upstream) == ["\(hole.address)", "\(application.address)"])
            withExtendedLifetime(hole) {}
        }
    }

    @Test("many connections at once race without leaving a descriptor behind", arguments: EventLoopKind.allCases)
    func many(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            // A busy machine may take its time for as many handshakes.
            let patience = ["connectTimeout": "30s", "handshakeTimeout": "30s"]
            let server = try stage.inbound(to: stage.application(.echo), limits: patience)
            let hole = try BlackHole(port: try server.address("in").port)
            let proxy = try stage.proxy(outbound(to: hole, stage, limits: patience))
            let before = proxy.figures.socketCount
            let clients = try (0..<40).map { _ in try TCPConnection.connect(to: proxy.address("out")) }
            // Some leave while two connects run.
            for client in clients[..<10] { client.close() }
            for client in clients[10...] { try client.send("hello".utf8) }
            for client in clients[10...] { #expect(try client.receive(exactly: 5) == Array("hello".utf8)) }
            for client in clients[10...] { client.close() }
            let lines = try proxy.accessLines(40)
            #expect(lines.contains { $0.attempts?.map(\.outcome) == ["overtaken", "connected"] })
            #expect(
                eventually { proxy.figures.socketCount == before }, "\(before) before, \(proxy.figures.socketCount)")
            withExtendedLifetime(hole) {}
        }
    }

    @Test("spare connections race as well", arguments: EventLoopKind.allCases)
    func spares(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let server = try stage.inbound(to: application)
            let hole = try BlackHole(port: try server.address("in").port)
            let proxy = try stage.proxy(
                outbound(to: hole, stage, more: "preconnect: 2", limits: ["connectTimeout": "30s"]))
            #expect(application.awaitAccepted(1), "nothing was connected before a client came")
            proxy.expectCleanExit()
            withExtendedLifetime(hole) {}
        }
    }

    @Test("a drain ends while connects race, and leaves nothing behind", arguments: EventLoopKind.allCases)
    func drain(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            // Neither family answers.
            let hole = try BlackHole(port: 0)
            let other = try BlackHole(.v4, port: hole.address.port)
            let proxy = try stage.proxy(
                outbound(to: hole, stage, limits: ["connectTimeout": "30s", "drainTimeout": "100ms"]))
            let before = proxy.figures.socketCount
            let client = try TCPConnection.connect(to: proxy.address("out"))
            // The client's, and one of each family.
            #expect(eventually { proxy.figures.socketCount == before + 3 })
            proxy.process.signal(15)
            #expect(proxy.process.awaitExit(within: .seconds(10)) == .code(3), "one connection was cut")
            #expect(try proxy.accessLine().reason == "drained")
            withExtendedLifetime((client, hole, other)) {}
        }
    }

    @Test(
        "a network that loses IPv6 is not noticed by who calls a server of both families",
        arguments: EventLoopKind.allCases)
    func losses(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let network = try stage.keep(Network())
            // A global address, which the system prefers to an IPv4 one; on the way to it all TCP is lost.
            try network.shell("ip address add 2001:db8:2::2/64 dev eth0 nodad", in: .pod)
            try network.nft(
                """
                table ip6 losses {
                    chain arrivals { type filter hook prerouting priority 0; meta l4proto tcp drop; }
                }
                """, in: .node)
            let folder = stage.folder
            let server = stage.keep(
                try network.start(
                    [
                        "openssl", "s_server", "-accept", "\(Network.v4.outside):8443", "-CAfile",
                        folder.file("bundle.pem"), "-cert", folder.file("client.pem"), "-key",
                        folder.file("client.key"), "-cert_chain", folder.file("client-chain.pem"), "-Verify", "3",
                        "-rev",
                    ], in: .outside))
            #expect(server.standardOutput.awaitLine { $0.contains("ACCEPT") ? true : nil } == true)
            let dns = stage.keep(
                try network.start(
                    [
                        "dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root",
                        "--pid-file", "--port=5353", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv",
                        "--no-hosts", "--local=/test/",
                        "--host-record=peer.test,\(Network.v4.outside),2001:db8:1::2",
                    ], in: .pod))
            let settings = SettingsFile(
                role: .client,
                listeners: [
                    .outbound(
                        "out", endpoint: "peer.test:8443", bind: "127.0.0.1:15001",
                        identity: "spiffe://example.org/ns/default/sa/client",
                        more: "resolve: {every: 1h, server: \"127.0.0.1:5353\"}")
                ], limits: ["connectTimeout": "30s"])
            let proxy = try stage.proxy(text: settings.text(loop: loop), in: network.prefix(.pod))
            #expect(
                try NetworkPeer.call("127.0.0.1", 15001, from: .pod, of: network) == ["answer olleh", "finished"])
            let attempts = try #require(try proxy.accessLine().attempts)
            #expect(attempts.map(\.outcome) == ["overtaken", "connected"])
            #expect(attempts[0].upstream == "[2001:db8:1::2]:8443" && attempts[0].ms < 2_000)
            withExtendedLifetime(dns) {}
        }
    }

    /// An outbound listener to a name of both loopback addresses, with the port of `hole`.
    ///
    /// - Parameter more: a further key of the upstream.
    private func outbound(
        to hole: BlackHole, _ stage: Stage, more: String = "# nothing else",
        limits: [String: String] = ["connectTimeout": "10s"]
    ) throws -> SettingsFile {
        let dns = stage.keep(try NameServer(["peer.test": ["::1", "127.0.0.1"]], in: stage.folder))
        let keys = "resolve: {every: 1h, \(dns.setting)}\n          \(more)"
        return SettingsFile(
            role: .client, listeners: [.outbound("out", endpoint: "peer.test:\(hole.address.port)", more: keys)],
            limits: limits, admin: true)
    }

    private func inbound(to application: Application, _ stage: Stage, _ more: String = "") throws -> SettingsFile {
        let dns = stage.keep(try NameServer(["app.test": ["::1", "127.0.0.1"]], in: stage.folder))
        let upstream = """
            {endpoints: ["app.test:\(application.address.port)"], allowRemoteUpstream: true, \
            resolve: {every: 1h, \(dns.setting)}\(more)}
            """
        return SettingsFile(
            listeners: [.inbound("in", upstream: upstream)], limits: ["connectTimeout": "10s"], admin: true)
    }
}
