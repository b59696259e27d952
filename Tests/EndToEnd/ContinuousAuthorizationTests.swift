import Loopback
import Authority
import PosternTesting
import Testing

/// Open connections when their policy, bundles or CRLs change; the clients are `openssl s_client`.
@Suite("Continuous authorization")
struct ContinuousAuthorizationTests {
    private static func policies(_ rules: String) -> String { "policies:\n  callers:\n    rules:\n" + rules }

    private static let clientRule = """
              - {name: callers, action: allow, identities: ["spiffe://example.org/ns/default/sa/client"]}

        """
    private static let otherRule = """
              - {name: others, action: allow, identities: ["spiffe://example.org/ns/default/sa/other"]}

        """

    @Test(
        "deleting a rule closes the connections it allowed, with an alert, and no others",
        arguments: EventLoopKind.allCases)
    func ruleDeleted(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, settings, client, other) = try scene(stage)
            var changed = settings
            changed.policies = Self.policies(Self.otherRule)
            let start = ContinuousClock.now
            try proxy.reload(changed, in: stage.folder)
            let line = try proxy.accessLine { $0.reason == "policy-changed" }
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(line.peerId == "spiffe://example.org/ns/default/sa/client")
            #expect(line.decision == "deny")
            #expect(line.detail?.contains("\"callers\"") == true, "\(String(describing: line.detail))")
            // s_client ends at an alert, and reports that the end was not orderly.
            #expect(client.process.awaitExit() == .code(1))
            #expect(other.echoes("still here\n"))
            let late = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "policy-denied" }.bytesToUpstream == 0)
            late.process.stop()
            other.process.stop()
        }
    }

    @Test("an added deny rule is named in the records of the connections it closes", arguments: EventLoopKind.allCases)
    func denyAdded(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, settings, client, other) = try scene(stage)
            var changed = settings
            changed.policies =
                settings.policies
                + "      - {name: not-him, action: deny, identities: [\"spiffe://example.org/ns/default/sa/other\"]}\n"
            try proxy.reload(changed, in: stage.folder)
            let line = try proxy.accessLine { $0.reason == "policy-changed" }
            #expect(line.rule == "not-him")
            #expect(line.peerId == "spiffe://example.org/ns/default/sa/other")
            #expect(client.echoes("still here\n"))
            #expect(other.process.awaitExit() == .code(1))
            client.process.stop()
        }
    }

    @Test("revoking a serial number closes its connections, and only those", arguments: EventLoopKind.allCases)
    func revoked(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let identities = try LivingIdentities(stage.folder)
            try identities.revoke([[9, 9]])
            try identities.issue("client", TestIdentities.clientPath, serialNumber: [1, 2, 3])
            try identities.issue("twin", TestIdentities.clientPath, serialNumber: [1, 2, 4])
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.partnerBundle = ""
            settings.identityExtra = "  revocationLists: {example.org: crl.pem}\n  revocation: required\n"
            let proxy = try stage.proxy(settings)
            let session = stage.folder.file("session.pem")
            let client = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_out", session])
            let twin = try OpenSSLClient(to: proxy.address("in"), named: "twin", folder: stage.folder)
            #expect(client.echoes("one\n") && twin.echoes("two\n"))
            try identities.revoke([[9, 9], [1, 2, 3]])
            let line = try proxy.accessLine { $0.reason == "revoked" }
            #expect(line.peerSerial == "010203" && line.code == "revoked")
            #expect(client.process.awaitExit() == .code(1))
            #expect(twin.echoes("still here\n"))
            // An earlier session is refused, too.
            let late = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_in", session])
            #expect(late.alertAtEnd() == 44)
            #expect(try proxy.accessLine { $0.reason == "certificate-refused" }.code == "revoked")
            // An expired CRL counts as none, and one is required.
            try identities.revoke([[9, 9]], validity: .over)
            #expect(try proxy.accessLine { $0.reason == "revocation-unknown" }.peerSerial == "010204")
            #expect(twin.process.awaitExit() == .code(1))
        }
    }

    @Test("an expired CRL refuses peers only if a CRL is required")
    func listEnds() throws {
        try onStage(.epoll) { stage in
            let identities = try LivingIdentities(stage.folder)
            try identities.revoke([[9, 9]], validity: .seconds(8))
            try identities.issue("client", TestIdentities.clientPath)
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.partnerBundle = ""
            settings.identityExtra = "  revocationLists: {example.org: crl.pem}\n  revocation: required\n"
            let strict = try stage.proxy(settings)
            settings.identityExtra = "  revocationLists: {example.org: crl.pem}\n"
            let lenient = try stage.proxy(settings)
            let client = try OpenSSLClient(to: strict.address("in"), named: "client", folder: stage.folder)
            let other = try OpenSSLClient(to: lenient.address("in"), named: "client", folder: stage.folder)
            #expect(client.echoes("one\n") && other.echoes("two\n"))
            #expect(
                try strict.accessLine(within: .seconds(20)) { $0.reason == "revocation-unknown" }.code
                    == "revocation-unknown")
            #expect(other.echoes("still here\n"))
            other.process.stop()
        }
    }

    @Test(
        "removing a bundle closes the connections of its trust domain, and only those",
        arguments: EventLoopKind.allCases)
    func bundleRemoved(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let listener = SettingsFile.Listener.inbound(to: application.address, policy: "anyone-trusted")
            var settings = SettingsFile(listeners: [listener])
            let proxy = try stage.proxy(settings)
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            let partner = try OpenSSLClient(to: proxy.address("in"), as: .partner, folder: stage.folder)
            #expect(client.echoes("one\n") && partner.echoes("two\n"))
            settings.partnerBundle = ""
            try proxy.reload(settings, in: stage.folder)
            let line = try proxy.accessLine { $0.reason == "bundle-removed" }
            #expect(line.peerId == "spiffe://partner.test/ns/default/sa/client" && line.code == "unknown-trust-domain")
            #expect(partner.process.awaitExit() == .code(1))
            #expect(client.echoes("still here\n"))
            client.process.stop()
        }
    }

    @Test("a root rollover with overlap does not disturb peers below the new root", arguments: EventLoopKind.allCases)
    func rootRotation(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let identities = try LivingIdentities(stage.folder)
            let next = try CertificateAuthority(trustDomain: "example.org")
            let renewed = try CertificateAuthority(
                trustDomain: "example.org", request: AuthorityRequest(key: next.key))
            try identities.issue("old", TestIdentities.clientPath)
            try identities.issue("new", TestIdentities.clientPath, by: next)
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)]))
            let old = try OpenSSLClient(to: proxy.address("in"), named: "old", folder: stage.folder)
            #expect(old.echoes("one\n"))
            try identities.write(bundleOf: [identities.authority, next])
            try proxy.awaitReload()
            let new = try OpenSSLClient(to: proxy.address("in"), named: "new", folder: stage.folder)
            #expect(new.echoes("two\n") && old.echoes("three\n"))
            // The server's own SVID is replaced, too; then the old root may be removed.
            try identities.issue("server", TestIdentities.serverPath, by: next)
            try proxy.awaitReload()
            try identities.write(bundleOf: [next])
            let line = try proxy.accessLine { $0.reason == "bundle-removed" }
            #expect(line.code == "unknown-authority")
            #expect(old.process.awaitExit() == .code(1))
            try proxy.awaitReload()
            // The same key in another certificate of the root is the same authority.
            try identities.write(bundleOf: [renewed])
            try proxy.awaitReload()
            #expect(new.echoes("still here\n"))
            new.process.stop()
        }
    }

    @Test("a resumed session gets no further than a new one", arguments: EventLoopKind.allCases)
    func resumption(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, settings, client, other) = try scene(stage)
            client.process.stop()
            let session = stage.folder.file("session.pem")
            let first = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_out", session])
            #expect(first.echoes("one\n"))
            first.process.stop()
            let again = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_in", session])
            #expect(again.echoes("two\n"))
            again.process.stop()
            #expect(try proxy.accessLine { $0.resumed == true }.decision == "allow")
            // A policy change discards no session.
            var changed = settings
            changed.policies =
                settings.policies
                + "  unused:\n    rules: [{name: r, action: allow, identities: [\"spiffe://example.org/nobody\"]}]\n"
            try proxy.reload(changed, in: stage.folder)
            let kept = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_in", session])
            #expect(kept.echoes("three\n"))
            kept.process.stop()
            #expect(try proxy.accessLine { $0.resumed == true }.decision == "allow")
            changed.policies = Self.policies(Self.otherRule)
            try proxy.reload(changed, in: stage.folder)
            let late = try OpenSSLClient(
                to: proxy.address("in"), named: "client", folder: stage.folder, options: ["-sess_in", session])
            let line = try proxy.accessLine { $0.reason == "policy-denied" }
            #expect(line.bytesToUpstream == 0 && line.resumed == true)
            late.process.stop()
            other.process.stop()
        }
    }

    @Test("a connection to a server whose identity is no longer accepted is closed", arguments: EventLoopKind.allCases)
    func outbound(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = try stage.keep(OpenSSLServer(as: .server, folder: stage.folder))
            var settings = SettingsFile(role: .client, listeners: [.outbound(to: server.address)])
            let proxy = try stage.proxy(settings)
            let client = try TCPConnection.connect(to: proxy.address("out"))
            try client.send("abc\n".utf8)
            #expect(try client.receive(exactly: 4) == Array("cba\n".utf8))
            settings.listeners = [
                .outbound(to: server.address, identity: "spiffe://example.org/ns/default/sa/other")
            ]
            try proxy.reload(settings, in: stage.folder)
            #expect(try proxy.accessLine { $0.reason == "policy-changed" }.code == "identity-not-expected")
            #expect(client.awaitEnd() == .reset)
        }
    }

    /// Two clients of different rules, each with an echo behind it.
    private func scene(
        _ stage: Stage
    ) throws -> (proxy: ProxyUnderTest, settings: SettingsFile, client: OpenSSLClient, other: OpenSSLClient) {
        let identities = try LivingIdentities(stage.folder)
        try identities.issue("client", TestIdentities.clientPath)
        try identities.issue("other", "/ns/default/sa/other")
        let application = try stage.application(.echo)
        var settings = SettingsFile(listeners: [.inbound(to: application.address)])
        settings.policies = Self.policies(Self.clientRule + Self.otherRule)
        let proxy = try stage.proxy(settings)
        let client = try OpenSSLClient(to: proxy.address("in"), named: "client", folder: stage.folder)
        let other = try OpenSSLClient(to: proxy.address("in"), named: "other", folder: stage.folder)
        #expect(client.echoes("one\n") && other.echoes("two\n"))
        return (proxy, settings, client, other)
    }
}
