import Glibc
import Loopback
import Authority
import PosternTesting
import Testing

/// The proxy's identity from a SPIFFE Workload API; the clients are `openssl s_client`.
@Suite("The Workload API")
struct WorkloadAPITests {
    @Test(
        "gives the identity: not ready before the first SVID, then served, renewed and withdrawn",
        arguments: EventLoopKind.allCases)
    func life(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (server, identities, proxy) = try scene(stage)
            let waits = "no SVID yet from unix:\(server.socket)"
            #expect(eventually { (try? readiness(proxy).contains(waits)) == true })
            let early = try TCPConnection.connect(to: proxy.address("in"))

            try server.hand(out: [Self.svid])
            try proxy.awaitReady()
            #expect(try readiness(proxy).contains("200"))
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n"))
            early.close()

            try identities.issue("server", TestIdentities.serverPath)
            try server.hand(out: [Self.svid])
            try proxy.awaitReload()
            try proxy.awaitReload()
            #expect(client.echoes("two\n"))

            // What is no message, and one without a key, change nothing.
            for raw in [[0xFF, 0xFF, 0xFF], [0x0A, 0x03, 0x0A, 0x01, 0x61]] as [[UInt8]] {
                try server.send(raw: raw)
            }
            try proxy.awaitLog(containing: "is discarded: its field spiffe_id")
            #expect(client.echoes("three\n"))

            try server.refuse(7)
            #expect(try proxy.accessLine { $0.reason == "identity-withdrawn" }.peerId != nil)
            #expect(client.process.awaitExit() == .code(1))
            #expect(try readiness(proxy).contains("503"))

            try server.hand(out: [Self.svid])
            #expect(eventually(within: .seconds(10)) { (try? readiness(proxy).contains("200")) == true })
            let late = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(late.echoes("four\n"))
            late.process.stop()
        }
    }

    @Test("may disconnect and return: its last identity stays in use meanwhile", arguments: EventLoopKind.allCases)
    func restart(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (server, identities, proxy) = try scene(stage)
            try server.hand(out: [Self.svid])
            try proxy.awaitReady()
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n"))
            server.process.stop()
            #expect(client.echoes("two\n"))
            #expect(try readiness(proxy).contains("200"))
            try identities.issue("server", TestIdentities.serverPath)
            let next = try stage.keep(WorkloadAPIServer(stage.folder))
            try next.hand(out: [Self.svid])
            try proxy.awaitReload()
            try proxy.awaitReload(within: .seconds(20))
            try next.endStreams()
            try identities.issue("server", TestIdentities.serverPath)
            try next.hand(out: [Self.svid])
            try proxy.awaitReload(within: .seconds(20))
            #expect(client.echoes("three\n"))
            client.process.stop()
        }
    }

    @Test("that toggles constantly costs few installs, and its last state is applied")
    func toggles() throws {
        try onStage(.epoll) { stage in
            let (server, identities, proxy) = try scene(stage, policy: "anyone-trusted")
            try server.hand(out: [Self.svid])
            try proxy.awaitReady()
            try identities.issue("other", TestIdentities.serverPath)
            let other = WorkloadAPIServer.SVID(id: Self.svid.id, name: "other")
            let begin = ContinuousClock.now
            for _ in 0..<100 {
                try server.hand(out: [other])
                try server.hand(out: [Self.svid])
            }
            try server.hand(out: [other], federated: ["spiffe://partner.test": "partner-bundle.pem"])
            #expect(
                eventually {
                    let partner = try? OpenSSLClient(to: proxy.address("in"), as: .partner, folder: stage.folder)
                    defer { partner?.process.stop() }
                    return partner?.echoes("one\n") ?? false
                })
            let halfSeconds = Int((ContinuousClock.now - begin) / .milliseconds(500))
            let installs = try #require(try proxy.metric("postern_reloads_total"))
            #expect(installs >= 2 && installs <= halfSeconds + 3, "\(installs) installs in \(halfSeconds) half seconds")
        }
    }

    @Test("may deliver bundles separately, and CRLs")
    func bundlesAndLists() throws {
        try onStage(.epoll) { stage in
            let (server, identities, proxy) = try scene(stage, policy: "anyone-trusted")
            try identities.issue("client", TestIdentities.clientPath, serialNumber: [5, 5])
            try server.hand(out: [Self.svid], federated: ["spiffe://partner.test": "partner-bundle.pem"])
            try proxy.awaitReady()
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            let partner = try OpenSSLClient(to: proxy.address("in"), as: .partner, folder: stage.folder)
            #expect(client.echoes("one\n") && partner.echoes("two\n"))
            // What is absent is withdrawn.
            try server.hand(out: [Self.svid])
            #expect(try proxy.accessLine { $0.reason == "bundle-removed" }.code == "unknown-trust-domain")
            try identities.revoke([[5, 5]])
            try server.hand(out: [Self.svid], lists: ["crl.pem"])
            #expect(try proxy.accessLine { $0.reason == "revoked" }.peerSerial == "0505")
            _ = (client.process.awaitExit(), partner.process.awaitExit())
        }
    }

    @Test("handed out CRLs that count as soon as the settings say so")
    func revocationMode() throws {
        try onStage(.epoll) { stage in
            let (server, identities, proxy) = try scene(stage, policy: "anyone-trusted", extra: "  revocation: off\n")
            try identities.issue("client", TestIdentities.clientPath, serialNumber: [5, 5])
            try identities.revoke([[5, 5]])
            try server.hand(out: [Self.svid], lists: ["crl.pem"])
            try proxy.awaitReady()
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n"))
            try proxy.reload(
                settings(server, policy: "anyone-trusted", extra: "  revocation: ifPresent\n"), in: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "revoked" }.peerSerial == "0505")
            _ = client.process.awaitExit()
        }
    }

    @Test("gives several SVIDs, of which a hint names one")
    func hint() throws {
        try onStage(.epoll) { stage in
            let (server, identities, proxy) = try scene(stage, extra: "  hint: external\n")
            try identities.issue("other", "/ns/default/sa/other")
            try server.hand(out: [Self.svid])
            try proxy.awaitLog(containing: "no SVID has the hint")
            let other = WorkloadAPIServer.SVID(
                id: "spiffe://example.org/ns/default/sa/other", name: "other", hint: "external")
            try server.hand(out: [Self.svid, other])
            try proxy.awaitReady()
            let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n"))
            client.process.stop()
            #expect(try proxy.accessLine().localId == other.id)
        }
    }

    @Test("is not called again after it answered unimplemented")
    func unimplemented() throws {
        try onStage(.epoll) { stage in
            let (server, _, proxy) = try scene(stage) { try $0.refuse(12) }
            try proxy.awaitLog(containing: "Workload API: not reconnecting")
            #expect(try readiness(proxy).contains("503"))
            _ = server
        }
    }

    @Test("that does not respond is given up after a while, and connected again")
    func hangs() throws {
        try onStage(.epoll) { stage in
            let (server, _, proxy) = try scene(stage) { $0.process.signal(SIGSTOP) }
            try proxy.awaitLog(containing: "does not answer")
            server.process.signal(SIGCONT)
            try server.hand(out: [Self.svid])
            try proxy.awaitReady()
        }
    }

    @Test("is found by SPIFFE_ENDPOINT_SOCKET if the settings name no identity")
    func environment() throws {
        let folder = try TemporaryFolder("workload")
        let settings = try folder.write(
            "identity: {}\nlisteners:\n  - {name: a, mode: inbound, bind: \"127.0.0.1:0\", "
                + "routes: [{name: r, upstream: {builtin: echo}, policy: p}]}\n"
                + "policies: {p: {rules: [{name: all, action: allow, identities: [\"spiffe://*/**\"]}]}}\n",
            to: "s.yaml")
        let check = { (variable: String) in
            let process = try ChildProcess(
                ["env", variable, try PosternBinary.path(), "check", "--config", settings], in: folder.path)
            let exit = process.awaitExit()
            return (exit, process.standardOutput.text + process.standardError.text)
        }
        let good = try check("SPIFFE_ENDPOINT_SOCKET=unix:///run/spire/agent.sock")
        #expect(good.0 == .code(0) && good.1.contains("the Workload API at unix:/run/spire/agent.sock"), "\(good.1)")
        let flawed = try check("SPIFFE_ENDPOINT_SOCKET=http://agent")
        #expect(flawed.0 == .code(2) && flawed.1.contains("SPIFFE_ENDPOINT_SOCKET is `http://agent`"), "\(flawed.1)")
        let none = try check("SPIFFE_ENDPOINT_SOCKET=")
        #expect(none.0 == .code(2) && none.1.contains("or set SPIFFE_ENDPOINT_SOCKET"), "\(none.1)")
    }

    private static let svid = WorkloadAPIServer.SVID(id: "spiffe://example.org/ns/default/sa/server", name: "server")

    private func readiness(_ proxy: ProxyUnderTest) throws -> String {
        let connection = try TCPConnection.connect(to: proxy.adminAddress())
        try connection.send("GET /readyz HTTP/1.0\r\n\r\n".utf8)
        return String(decoding: try connection.receiveToEnd(), as: UTF8.self)
    }

    /// A proxy in front of an echo that is started and waits for its first SVID.
    private func scene(
        _ stage: Stage, policy: String = "callers", extra: String = "",
        before: (WorkloadAPIServer) throws -> Void = { _ in }
    ) throws -> (server: WorkloadAPIServer, identities: LivingIdentities, proxy: ProxyUnderTest) {
        let identities = try LivingIdentities(stage.folder)
        try identities.issue("client", TestIdentities.clientPath)
        let server = try stage.keep(WorkloadAPIServer(stage.folder))
        try before(server)
        return (server, identities, try stage.start(settings(server, policy: policy, extra: extra)))
    }

    private func settings(_ server: WorkloadAPIServer, policy: String, extra: String) -> SettingsFile {
        var settings = SettingsFile(listeners: [.inbound("in", upstream: "{builtin: echo}", policy: policy)])
        settings.identity = "identity:\n  workloadAPI: unix:\(server.socket)\n\(extra)"
        settings.admin = true
        return settings
    }
}
