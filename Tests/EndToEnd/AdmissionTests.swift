import Loopback
import PosternTesting
import Testing

/// Who gets in, seen from `openssl s_client`.
@Suite("Admission")
struct AdmissionTests {
    @Test("a client whose identity the policy names reaches the application", arguments: EventLoopKind.allCases)
    func allowed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            client.process.stop()
            let line = try proxy.accessLine()
            #expect(line.decision == "allow")
            #expect(line.policy == "callers")
            #expect(line.rule == "callers")
            #expect(line.peerId == "spiffe://example.org/ns/default/sa/client")
            #expect(line.localId == "spiffe://example.org/ns/default/sa/server")
            #expect(line.tlsVersion == "1.3")
            #expect(line.direction == "inbound")
            #expect(line.listener == "in")
            #expect(line.route == "application")
            #expect(line.upstream == "\(application.address)")
            #expect(line.bytesToUpstream == 6)
            #expect(line.bytesFromUpstream == 6)
            #expect(line.peerSha256?.count == 64)
            #expect(line.resumed == false)
        }
    }

    /// A certificate that the handshake refuses, with the code of the access log and the TLS alert that fits.
    struct Refusal: CustomTestStringConvertible, Sendable {
        let role: TestIdentities.Role?
        let code: String
        let alerts: Set<Int>
        var testDescription: String { code + (role.map { " (\($0.rawValue))" } ?? "") }
    }

    private static let refusals = [
        Refusal(role: nil, code: "no-certificate", alerts: [116]),
        Refusal(role: .foreigner, code: "unknown-trust-domain", alerts: [48]),
        Refusal(role: .impostor, code: "unknown-authority", alerts: [48]),
        Refusal(role: .selfSigned, code: "unknown-authority", alerts: [48]),
        Refusal(role: .expired, code: "certificate-expired", alerts: [45]),
        Refusal(role: .notYetValid, code: "certificate-not-yet-valid", alerts: [42, 45]),
        Refusal(role: .twoURIs, code: "several-uri-sans", alerts: [42]),
        Refusal(role: .sameURITwice, code: "several-uri-sans", alerts: [42]),
        Refusal(role: .noURI, code: "no-uri-san", alerts: [42]),
        Refusal(role: .webURI, code: "not-a-spiffe-id", alerts: [42]),
        Refusal(role: .withoutPath, code: "leaf-without-path", alerts: [42]),
        Refusal(role: .authority, code: "leaf-is-ca", alerts: [42]),
        Refusal(role: .noDigitalSignature, code: "no-digital-signature", alerts: [42, 43]),
    ]

    @Test(
        "a certificate that is not a valid SVID is refused with its code and alert, and no upstream is dialled",
        arguments: EventLoopKind.allCases, refusals)
    func refusedCertificate(loop: EventLoopKind, refusal: Refusal) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let client = try OpenSSLClient(to: proxy.address("in"), as: refusal.role, folder: stage.folder)
            client.send("must not arrive\n")
            let line = try proxy.accessLine()
            #expect(line.reason == "certificate-refused" || line.reason == "handshake-failed")
            #expect(line.code == refusal.code)
            #expect(line.decision == "deny")
            #expect(line.bytesToUpstream == 0)
            #expect(line.peerId == nil)
            if let role = refusal.role {
                // Who asked can be found, and nothing of it is taken for proven.
                let leaf = try ChildProcess([
                    "openssl", "x509", "-in", stage.folder.file("\(role.rawValue).pem"), "-noout", "-serial",
                    "-fingerprint", "-sha256",
                ])
                #expect(leaf.awaitExit() == .code(0))
                let said = leaf.standardOutput.text.replacing(":", with: "")
                #expect(said.contains("serial=\(line.peerSerial?.uppercased() ?? "")\n"))
                #expect(said.contains("Fingerprint=\(line.peerSha256?.uppercased() ?? "")\n"))
                #expect(line.verified == false && line.peerIssuer?.contains("CN=") == true)
                #expect(line.peerNotAfter != nil && line.route == "application")
                let hasNoID: Set<TestIdentities.Role> = [.twoURIs, .sameURITwice, .noURI, .webURI]
                #expect((line.peerClaimedId == nil) == hasNoID.contains(role), "\(line.peerClaimedId ?? "")")
            } else {
                #expect(line.verified == nil && line.peerClaimedId == nil)
            }
            let alert = client.alertAtEnd()
            #expect(alert.map(refusal.alerts.contains) == true, "alert \(String(describing: alert))")
            #expect(client.process.standardOutput.bytes.isEmpty)
            #expect(application.acceptedCount == 0)
        }
    }

    @Test(
        "a valid identity that the policy does not allow gets an access_denied alert, and no upstream is dialled",
        arguments: EventLoopKind.allCases,
        [
            (TestIdentities.Role.stranger, String?.none), (.partner, nil), (.legacy, "no-legacy"),
        ])
    func deniedIdentity(loop: EventLoopKind, denied: (role: TestIdentities.Role, rule: String?)) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let client = try OpenSSLClient(to: proxy.address("in"), as: denied.role, folder: stage.folder)
            client.send("must not arrive\n")
            let line = try proxy.accessLine()
            #expect(line.reason == "policy-denied")
            #expect(line.decision == "deny")
            #expect(line.policy == "callers")
            #expect(line.rule == denied.rule)
            #expect(line.peerId != nil)
            #expect(client.alertAtEnd() == 49)
            #expect(application.acceptedCount == 0)
        }
    }

    @Test(
        "policy decides again about a resumed session, and its record names the peer", arguments: EventLoopKind.allCases
    )
    func resumed(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            for round in 0..<3 {
                let client = try TCPConnection.connect(to: outbound.address("out"))
                try client.send([7])
                #expect(try client.receive(exactly: 1) == [7])
                client.finishSending()
                #expect(try client.receiveToEnd().isEmpty)
                for line in [try outbound.accessLine(), try inbound.accessLine()] {
                    #expect(line.resumed == (round > 0))
                    #expect(line.peerId?.hasPrefix("spiffe://example.org/ns/default/sa/") == true)
                    #expect(line.peerSerial?.isEmpty == false)
                    #expect(line.decision == (line.direction == "inbound" ? "allow" : nil))
                }
            }
        }
    }

    @Test("every worker resumes sessions established by another", arguments: EventLoopKind.allCases)
    func sessionsOfAllWorkers(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            var settings = SettingsFile(listeners: [.inbound(to: try stage.application(.echo).address)])
            settings.workers = 4
            let proxy = try stage.proxy(settings)
            let session = stage.folder.file("session.pem")
            for round in 0..<9 {
                let client = try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder,
                    options: [round == 0 ? "-sess_out" : "-sess_in", session])
                #expect(client.echoes("hello\n"))
                client.process.stop()
                #expect(try proxy.accessLine().resumed == (round > 0), "round \(round)")
            }
        }
    }

    @Test("a session established at one listener is refused at another", arguments: EventLoopKind.allCases)
    func sessionOfAnotherListener(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [
                    .inbound("one", to: application.address), .inbound("other", to: application.address),
                ]))
            let session = stage.folder.file("session.pem")
            for (listener, option, resumed) in [
                ("one", "-sess_out", false), ("other", "-sess_in", false), ("one", "-sess_in", true),
            ] {
                let client = try OpenSSLClient(
                    to: proxy.address(listener), as: .client, folder: stage.folder,
                    options: [option, session, "-no_ign_eof"])
                client.send("hello\n")
                #expect(client.receives("hello\n"))
                client.finish()
                #expect(client.process.awaitExit() != nil)
                #expect(try proxy.accessLine().resumed == resumed)
            }
        }
    }

    @Test("audit mode allows what it would deny, and logs it", arguments: EventLoopKind.allCases)
    func audited(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound(to: application.address, policy: "watched")]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .stranger, folder: stage.folder)
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            client.process.stop()
            #expect(try proxy.accessLine().decision == "would-deny")
        }
    }

    @Test("SNI selects the route, and a name without a route is refused", arguments: EventLoopKind.allCases)
    func serverName(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound(to: application.address, match: "{sni: [orders.internal]}")]))
            let right = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder,
                options: ["-servername", "orders.internal"])
            right.send("hello\n")
            #expect(right.receives("hello\n"))
            right.process.stop()
            #expect(try proxy.accessLine().sni == "orders.internal")
            let wrong = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-servername", "other.internal"])
            wrong.send("must not arrive\n")
            let line = try proxy.accessLine()
            #expect(line.reason == "no-route")
            #expect(line.sni == "other.internal")
            #expect(application.acceptedCount == 1)
        }
    }

    @Test(
        "decision, log and explain normalise a server name alike, or refuse it",
        arguments: EventLoopKind.allCases)
    func namesOddly(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.policies = """
                policies:
                  callers:
                    rules:
                      - {name: no-foo, action: deny, sni: [foo.example]}
                      - {name: callers, action: allow, identities: ["spiffe://example.org/ns/default/sa/client"]}
                """
            let proxy = try stage.proxy(settings)
            for name in ["foo.example", "foo.example.", "FOO.Example."] {
                let client = try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-servername", name])
                let line = try proxy.accessLine()
                #expect(line.reason == "policy-denied" && line.rule == "no-foo" && line.sni == "foo.example", "\(name)")
                client.process.stop()
            }
            for (name, shown) in [("192.0.2.1", "192.0.2.1"), ("foo..example", "foo..example"), ("b\u{7}d", "b\u{7}d")]
            {
                let client = try OpenSSLClient(
                    to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-servername", name])
                #expect(client.alertAtEnd() == 112, "\(name)")
                let line = try proxy.accessLine()
                #expect(line.code == "invalid-server-name" && line.detail != nil, "\(name), shown as \(shown)")
                #expect(line.bytesToUpstream == 0 && line.decision == "deny")
            }
            // What s_client does not say, a raw ClientHello does.
            for name in [[UInt8](repeating: 0x61, count: 256), [0x61, 0, 0x62]] {
                let raw = try TCPConnection.connect(to: proxy.address("in"))
                try raw.send(ClientHello.naming(name))
                let answer = try raw.receive(within: .seconds(10))
                #expect(answer == [21, 3, 3, 0, 2, 2, 112] || answer == [21, 3, 1, 0, 2, 2, 112], "\(answer)")
                #expect(try proxy.accessLine().code == "invalid-server-name")
            }
            #expect(application.acceptedCount == 0)
        }
    }

    @Test(
        "an outbound route refuses a server with another identity before it sends a byte",
        arguments: EventLoopKind.allCases)
    func unexpectedServer(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = try OpenSSLServer(as: .stranger, folder: stage.folder)
            let proxy = try stage.outbound(to: server.address)
            let client = try TCPConnection.connect(to: proxy.address("out"))
            try client.send("must not arrive\n".utf8)
            #expect(client.awaitEnd() != .stillOpen)
            let line = try proxy.accessLine()
            #expect(line.verified == true && line.peerClaimedId?.hasPrefix("spiffe://example.org/") == true)
            #expect(line.decision == "deny")
            #expect(line.code == "identity-not-expected")
            #expect(line.bytesFromUpstream == 0)
            server.process.stop()
            #expect(!server.process.standardOutput.text.contains("arrive"))
        }
    }
}

/// A ClientHello written by hand.
private enum ClientHello {
    /// TLS 1.3 with an X25519 share of zeros and one and a server name of these bytes.
    static func naming(_ name: [UInt8]) -> [UInt8] {
        func block(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes }
        func extended(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [0, number] + block(bytes) }
        let share = [0, 0x1D] + block([9] + [UInt8](repeating: 0, count: 31))
        let extensions =
            extended(0, block([0] + block(name))) + extended(43, [2, 3, 4]) + extended(10, block([0, 0x1D]))
            + extended(13, block([4, 3])) + extended(51, block(share))
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + block([0x13, 1]) + [1, 0] + block(extensions)
        let message = [1, 0] + block(body)
        return [22, 3, 1] + block(message)
    }
}
