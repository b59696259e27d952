import Loopback
import PosternTesting
import Testing

/// Upstreams with names; dnsmasq answers for them.
@Suite("Names of upstreams")
struct NameTests {
    @Test(
        "every address of a name is used, and one that refuses costs a retry that the log names",
        arguments: EventLoopKind.allCases)
    func addresses(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let dns = try NameServer(["app.test": ["127.0.0.1", "127.0.0.2"]], in: stage.folder)
            let proxy = try stage.proxy(settings("app.test", application.address.port, dns))
            for _ in 0..<6 { try expectStillServes(proxy, stage) }
            let lines = try proxy.accessLines(6)
            #expect(lines.allSatisfy { $0.upstream == "\(application.address)" && $0.reason != "upstream-unreachable" })
            let failed = lines.compactMap(\.attempts)
            #expect(!failed.isEmpty, "127.0.0.2 was never dialled")
            for attempts in failed {
                #expect(attempts.map(\.outcome) == ["refused", "connected"])
                #expect(attempts[0].upstream == "127.0.0.2:\(application.address.port)")
            }
        }
    }

    @Test(
        "a change of addresses sends new connections there, and no connection whose address is gone or stays notices",
        arguments: EventLoopKind.allCases)
    func change(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let first = try stage.application(.greets("first\n"))
            let bind = SocketAddress(.v6, port: first.address.port)
            let second = try stage.keep(Application(.greets("second\n"), bind: bind))
            let dns = try NameServer(["app.test": ["127.0.0.1"]], in: stage.folder)
            let proxy = try stage.proxy(settings("app.test", first.address.port, dns))
            let early = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(early.receives("first\n"))
            try dns.replace(["app.test": ["::1"]])
            try proxy.awaitLog(containing: "\"addresses\":\"::1\"")
            #expect(
                try eventually {
                    let late = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
                    defer { late.process.stop() }
                    return late.receives("second\n", within: .seconds(2))
                })
            #expect(second.acceptedCount > 0)
            early.send("still\n")
            #expect(early.receives("first\nstill\n"))
            try dns.replace(["app.test": ["::1", "127.0.0.1"]])
            try proxy.awaitLog(containing: "\"addresses\":\"::1, 127.0.0.1\"")
            early.send("there\n")
            #expect(early.receives("first\nstill\nthere\n"))
            early.process.stop()
        }
    }

    @Test(
        "a name that is gone, and a server that is silent, keep the last good answer and say so once",
        arguments: EventLoopKind.allCases)
    func keepsLast(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let dns = try NameServer(["app.test": ["127.0.0.1"]], in: stage.folder)
            let proxy = try stage.proxy(settings("app.test", application.address.port, dns))
            try dns.replace([:])
            try proxy.awaitLog(containing: "its last good addresses stay in use")
            try expectStillServes(proxy, stage)
            try dns.replace(["app.test": ["127.0.0.1"]])
            try proxy.awaitLog(containing: "the name is found again")
            dns.stop()
            #expect(
                eventually(within: .seconds(20)) {
                    proxy.process.standardError.text.ranges(of: "last good addresses").count == 2
                })
            try expectStillServes(proxy, stage)
        }
    }

    @Test(
        "a start does not wait for a name for long; the route refuses until it is found",
        arguments: EventLoopKind.allCases)
    func startsWithout(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let dns = try NameServer([:], in: stage.folder)
            let proxy = try stage.proxy(settings("app.test", application.address.port, dns))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.process.awaitExit() != nil)
            let line = try proxy.accessLine()
            #expect(line.reason == "upstream-unreachable")
            #expect(line.detail == "no name of the endpoints has an address")
            try dns.replace(["app.test": ["127.0.0.1"]])
            try proxy.awaitLog(containing: "addresses changed")
            #expect(
                try eventually {
                    let late = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
                    defer { late.process.stop() }
                    return late.echoes("found\n", within: .seconds(2))
                })
        }
    }

    @Test("SRV records name targets and ports, and lower priorities come first", arguments: EventLoopKind.allCases)
    func services(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let main = try stage.application(.greets("main\n"))
            let spare = try stage.application(.greets("spare\n"))
            let dns = try NameServer(
                ["a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"]],
                services: [
                    "_app._tcp.shop.test,b.test,\(spare.address.port),20,1",
                    "_app._tcp.shop.test,a.test,\(main.address.port),10,1",
                ], in: stage.folder)
            let proxy = try stage.proxy(settings(endpoint: "srv:_app._tcp.shop.test", dns))
            for _ in 0..<3 {
                let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
                #expect(client.receives("main\n"))
                client.process.stop()
            }
            #expect(spare.acceptedCount == 0)
        }
    }

    @Test("a changed list keeps the TLS sessions of the servers that stay", arguments: EventLoopKind.allCases)
    func sessions(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = try stage.inbound(to: stage.application(.echo))
            let port = try server.address("in").port
            let dns = try NameServer(["peer.test": ["127.0.0.1"]], in: stage.folder)
            let proxy = try stage.proxy(
                SettingsFile(
                    role: .client,
                    listeners: [
                        .outbound(
                            "out", endpoint: "peer.test:\(port)", more: "resolve: {every: 1s, \(dns.setting)}")
                    ]))
            func call() throws -> AccessLine {
                let client = try TCPConnection.connect(to: proxy.address("out"))
                try client.send("hello".utf8)
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                client.finishSending()
                #expect(client.awaitEnd() == .finished)
                return try proxy.accessLine()
            }
            _ = try call()
            #expect(try call().resumed == true)
            try dns.replace(["peer.test": ["127.0.0.1", "127.0.0.9"]])
            try proxy.awaitLog(containing: "127.0.0.1, 127.0.0.9")
            #expect(
                try eventually {
                    let line = try call()
                    return line.attempts != nil && line.resumed == true
                }, "no connection tried the new address, or none was resumed")
        }
    }

    @Test(
        "an answer that leads to the proxy itself is refused: to its admin endpoint, to a listener that uses its identity",
        arguments: EventLoopKind.allCases)
    func loops(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let ports = [
                "admin": try TCPListener.freePort(), "in": try TCPListener.freePort(),
                "out": try TCPListener.freePort(),
            ]
            let dns = try NameServer(
                ["a.test": ["127.0.0.1"]], services: ports.map { "_\($0)._tcp.test,a.test,\($1),1,1" },
                in: stage.folder)
            func bind(_ name: String) -> String { "127.0.0.1:\(ports[name]!)" }
            func inbound(_ name: String, to service: String, bind: String = "127.0.0.1:0") -> SettingsFile.Listener {
                .inbound(
                    name,
                    upstream:
                        "{endpoints: [\"srv:_\(service)._tcp.test\"], allowRemoteUpstream: true, resolve: {\(dns.setting)}}",
                    bind: bind)
            }
            func outbound(_ name: String, to service: String, bind: String = "127.0.0.1:0") -> SettingsFile.Listener {
                .outbound(name, endpoint: "srv:_\(service)._tcp.test", bind: bind, more: "resolve: {\(dns.setting)}")
            }
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [
                        inbound("in", to: "admin", bind: bind("in")), inbound("to-out", to: "out"),
                        outbound("out", to: "in", bind: bind("out")), outbound("to-itself", to: "out"),
                    ], extra: "admin: {bind: \"\(bind("admin"))\"}"))
            for (listener, target) in [("in", "admin"), ("to-out", "out")] {
                let client = try OpenSSLClient(to: proxy.address(listener), as: .client, folder: stage.folder)
                let line = try proxy.accessLine()
                #expect(line.reason == "loop" && line.listener == listener)
                #expect(line.detail?.contains("leads to \(bind(target)), an address of this proxy") == true, "\(line)")
                client.process.stop()
            }
            _ = try? TCPConnection.connect(to: proxy.address("to-itself"))
            #expect(try proxy.accessLine().reason == "loop")
            // An outbound listener may dial an inbound one: both ends prove who they are.
            let client = try? TCPConnection.connect(to: proxy.address("out"))
            // It may have been refused already.
            try? client?.send("GET /metrics HTTP/1.0\r\n\r\n".utf8)
            let lines = try proxy.accessLines(2)
            #expect(lines.contains { $0.listener == "in" && $0.reason == "loop" })
            #expect(lines.contains { $0.listener == "out" && $0.upstream == bind("in") && $0.peerId != nil })
        }
    }

    @Test("a listener that is its own endpoint dials nothing", arguments: EventLoopKind.allCases)
    func itself(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let address = SocketAddress(port: try TCPListener.freePort())
            let proxy = try stage.proxy(
                SettingsFile(role: .client, listeners: [.outbound(to: address, bind: "\(address)")]))
            _ = try? TCPConnection.connect(to: address)
            let line = try proxy.accessLine()
            #expect(
                line.reason == "loop" && line.detail?.contains("an address of this proxy itself") == true, "\(line)")
        }
    }

    @Test("check looks names up, and warns of one without an address")
    func check() throws {
        let folder = try TemporaryFolder("e2e")
        try TestIdentities.shared.write(to: folder)
        let dns = try NameServer(["app.test": ["127.0.0.1"]], in: folder)
        for (name, warning) in [
            ("app.test", nil), ("gone.test", "warning: gone.test:80 has no address from here: Domain name not found"),
        ] {
            let path = try folder.write(
                settings(endpoint: "\(name):80", dns).text(loop: .epoll), to: "postern.yaml")
            let result = try PosternBinary.run(["check", "--config", path], in: folder)
            #expect(result.exit == .code(0))
            #expect(result.errors.contains("has no address") == (warning != nil), "\(result.errors)")
            if let warning { #expect(result.errors.contains(warning), "\(result.errors)") }
        }
    }

    @Test("search domains and ndots are those of resolv.conf")
    func searchDomains() throws {
        let folder = try TemporaryFolder("e2e")
        try TestIdentities.shared.write(to: folder)
        let upstream = "{endpoints: [\"app:80\", \"app.shop:80\", \"app.shop.:80\"], allowRemoteUpstream: true}"
        let path = try folder.write(
            SettingsFile(listeners: [.inbound("in", upstream: upstream)]).text(loop: .epoll), to: "postern.yaml")
        let warnings = try warnings(
            of: path, in: folder, resolver: "search svc.test shop.svc.test\noptions ndots:5",
            server: "--local=/#/ --host-record=app.shop.svc.test,10.0.0.1")
        #expect(warnings.contains("warning: app.shop.:80 has no address"), "\(warnings)")
        #expect(!warnings.contains("app:80 has"), "\(warnings)")
        #expect(!warnings.contains("app.shop:80 has"), "\(warnings)")
    }

    /// Without authority for a name, dnsmasq refuses questions for its IPv6 addresses. Of a search list only the domain
    /// that has the name is asked.
    @Test(
        "of a destination each family must be known: one that is refused is no absent one",
        arguments: [
            ("app.test", "--local=/#/ --host-record=app.test,10.0.0.1", true),
            ("app.test", "--host-record=app.test,10.0.0.1", false),
            ("app", "--local=/a.test/ --host-record=app.a.test,10.0.0.1", true),
        ])
    func families(name: String, server: String, isKnown: Bool) throws {
        let folder = try TemporaryFolder("e2e")
        try TestIdentities.shared.write(to: folder)
        let path = try folder.write(
            """
            identity: {files: {certificate: server.pem, privateKey: server.key, trustBundles: {example.org: bundle.pem}}}
            listeners:
              - name: out
                mode: outbound
                bind: 127.0.0.1:15001
                transparent: redirect
                unmatched: passthrough
                routes:
                  - name: mesh
                    match: {destinations: [\(name)]}
                    upstream: {original: true, identities: ["spiffe://example.org/**"]}
            """, to: "postern.yaml")
        let warnings = try warnings(of: path, in: folder, resolver: "search a.test b.test", server: server)
        #expect(warnings.contains("\(name) has no address from here") == !isKnown, "\(warnings)")
    }

    /// What `check` warns of, in a network and a file system of its own, which end with it.
    private func warnings(of path: String, in folder: TemporaryFolder, resolver: String, server: String) throws
        -> String
    {
        let resolver = try folder.write("nameserver 127.0.0.1\n\(resolver)\n", to: "resolv.conf")
        let script = """
            ip link set lo up && mount --bind \(resolver) /etc/resolv.conf || exit 9
            dnsmasq --conf-file=/dev/null --user=root --pid-file --no-resolv --no-hosts \(server)
            exec \(try PosternBinary.path()) check --config \(path)
            """
        let process = try ChildProcess(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script])
        #expect(process.awaitExit() == .code(0))
        return process.standardError.text
    }

    private func settings(_ name: String, _ port: UInt16, _ dns: NameServer) -> SettingsFile {
        settings(endpoint: "\(name):\(port)", dns)
    }

    private func settings(endpoint: String, _ dns: NameServer) -> SettingsFile {
        let upstream = """
            {endpoints: ["\(endpoint)"], allowRemoteUpstream: true, resolve: {every: 1s, \(dns.setting)}}
            """
        return SettingsFile(listeners: [.inbound("in", upstream: upstream)])
    }
}
