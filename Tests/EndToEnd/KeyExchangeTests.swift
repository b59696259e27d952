import Foundation
import Loopback
import PosternTesting
import Testing

/// Key exchange groups with peers that nobody here wrote. OpenSSL has post-quantum ones from 3.5 on.
@Suite("Key exchange end to end")
struct KeyExchangeTests {
    @Test("a pair agrees on the best group of OpenSSL, and says so", arguments: EventLoopKind.allCases)
    func pair(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let best = try Self.hasHybrids() ? "X25519MLKEM768" : "X25519"
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("hello".utf8)
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            client.close()
            #expect(try inbound.accessLine().keyExchange == best)
            #expect(try outbound.accessLine().keyExchange == best)
            let event = try inbound.logEvent("starting")
            #expect((event["library"] as? String)?.hasPrefix("OpenSSL 3.") == true)
            let all = try Self.hasHybrids() ? "X25519MLKEM768, X25519, P-256, P-384" : "X25519, P-256, P-384"
            #expect(event["keyExchange"] as? String == all)
            let version = try PosternBinary.run(["--version"], in: stage.folder).output
            #expect(version.contains("key exchange: \(try Self.hasHybrids() ? "X25519MLKEM768, " : "X25519, ")"))
        }
    }

    @Test(
        "openssl s_client is served with what it has", arguments: EventLoopKind.allCases,
        [
            ("P-384", "P-384", 1), ("P-256", "P-256", 1), ("X25519", "X25519", 1), ("P-384:X25519", "P-384", 1),
            ("P-521:X448:P-384", "P-384", 2),
        ])
    func client(loop: EventLoopKind, groups: (offered: String, agreed: String, hellos: Int)) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            try expectEcho(to: inbound, groups.offered, groups.agreed, hellos: groups.hellos, stage)
        }
    }

    @Test("openssl s_client that can do better than its share is asked to", arguments: EventLoopKind.allCases)
    func betterClient(loop: EventLoopKind) throws {
        guard try Self.hasHybrids() else { return }
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            try expectEcho(to: inbound, "X25519MLKEM768", "X25519MLKEM768", hellos: 1, stage)
            try expectEcho(to: inbound, "X25519:X25519MLKEM768", "X25519MLKEM768", hellos: 2, stage)
            try expectEcho(to: inbound, "SecP384r1MLKEM1024:P-384", "P-384", hellos: 2, stage)
        }
    }

    @Test(
        "openssl s_server is reached with what it has", arguments: EventLoopKind.allCases,
        ["P-384", "P-256", "X25519", "X448:P-384", "X25519MLKEM768"])
    func server(loop: EventLoopKind, groups: String) throws {
        if groups == "X25519MLKEM768", try !Self.hasHybrids() { return }
        try onStage(loop) { stage in
            let server = stage.keep(
                try OpenSSLServer(as: .server, folder: stage.folder, options: ["-groups", groups]))
            let outbound = try stage.outbound(to: server.address)
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("stressed\n".utf8)
            #expect(try client.receive(exactly: 9) == Array("desserts\n".utf8))
            client.close()
            let agreed = try outbound.accessLine().keyExchange
            #expect(agreed.map { groups.hasSuffix($0) } == true)
        }
    }

    @Test("only the groups of the settings are accepted, and a reload changes them", arguments: EventLoopKind.allCases)
    func restricted(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            var settings = SettingsFile(listeners: [.inbound(to: application.address)])
            settings.tlsExtra = "keyExchange: [SecP384r1MLKEM1024, P-384]"
            let proxy = try stage.proxy(settings)
            let refused = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-groups", "X25519:P-256"])
            #expect(refused.alertAtEnd() == 40)
            #expect(try proxy.accessLine { $0.reason == "handshake-failed" }.code == "tls-group")
            try expectEcho(to: proxy, "X25519:P-384", "P-384", hellos: 2, stage)
            settings.tlsExtra = "keyExchange: [X25519]"
            try proxy.reload(settings, in: stage.folder)
            try expectEcho(to: proxy, "P-384:X25519", "X25519", hellos: 2, stage)
            #expect(application.acceptedCount == 2)
        }
    }

    /// - Parameter hellos: how many ClientHellos it takes: two with a HelloRetryRequest.
    private func expectEcho(
        to proxy: ProxyUnderTest, _ offered: String, _ agreed: String, hellos: Int, _ stage: Stage
    ) throws {
        let client = try OpenSSLClient(
            to: proxy.address("in"), as: .client, folder: stage.folder,
            options: ["-no_ign_eof", "-groups", offered, "-msg", "-msgfile", stage.folder.file("messages")])
        #expect(client.echoes("hello\n"))
        client.finish()
        let line = try proxy.accessLine { $0.reason == "finished" }
        #expect(line.keyExchange == agreed)
        #expect(client.process.awaitExit() == .code(0))
        let messages = try String(contentsOfFile: stage.folder.file("messages"), encoding: .utf8)
        #expect(messages.ranges(of: ", ClientHello").count == hellos, "\(messages)")
    }

    private static func hasHybrids() throws -> Bool {
        let process = try ChildProcess(["openssl", "list", "-kem-algorithms"])
        guard process.awaitExit() == .code(0) else { throw HarnessFault.peerNotReady("openssl list", log: "") }
        return process.standardOutput.text.contains("X25519MLKEM768")
    }
}
