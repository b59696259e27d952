import Loopback
import PosternTesting
import Testing

/// Servers whose handshake fails, beside one whose does not.
@Suite("Handshakes that fail on one endpoint")
struct HandshakeRetryTests {
    /// How the first of two servers fails.
    enum Failure: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case closes, resets, silent, plaintext, wrongIdentity, wrongAuthority

        var testDescription: String { rawValue }

        /// The code in the attempts of the access log.
        var code: String {
            switch self {
            case .closes: "closed"
            case .resets: "peer-reset"
            case .silent: "handshake-timeout"
            case .plaintext: "not-tls"
            case .wrongIdentity: "identity-not-expected"
            case .wrongAuthority: "unknown-authority"
            }
        }

        /// The reason of a connection that has no other server.
        var reason: String {
            switch self {
            case .closes, .plaintext: "handshake-failed"
            case .resets: "peer-reset"
            case .silent: "handshake-timeout"
            case .wrongIdentity, .wrongAuthority: "certificate-refused"
            }
        }
    }

    @Test(
        "another server is dialled, the log says what was refused, and no byte of the application went astray",
        arguments: EventLoopKind.allCases, Failure.allCases)
    func retried(loop: EventLoopKind, failure: Failure) throws {
        try onStage(loop) { stage in
            let flawed = try FlawedServer(failure, on: stage)
            let server = try stage.inbound(to: stage.application(.echo))
            let proxy = try stage.proxy(settings([flawed.address, server.address("in")]))
            let before = proxy.figures.socketCount
            let client = try TCPConnection.connect(to: proxy.address("out"))
            try client.send("secret".utf8)
            #expect(try client.receive(exactly: 6) == Array("secret".utf8))
            client.finishSending()
            #expect(client.awaitEnd() == .finished)
            let line = try proxy.accessLine()
            #expect(line.reason == "finished" && line.code == nil && line.detail == nil, "\(line)")
            #expect(try line.upstream == "\(server.address("in"))")
            #expect(line.peerId == "spiffe://example.org/ns/default/sa/server" && line.peerClaimedId == nil)
            let attempts = try #require(line.attempts)
            #expect(attempts.map(\.outcome) == ["handshake-failed", "connected"])
            #expect(attempts[0].upstream == "\(flawed.address)" && attempts[0].code == failure.code, "\(attempts)")
            let claimed = failure == .wrongIdentity ? "spiffe://example.org/ns/default/sa/stranger" : nil
            if failure != .wrongAuthority { #expect(attempts[0].peerClaimedId == claimed) }
            #expect(try flawed.isUntouched())
            #expect(eventually { proxy.figures.socketCount == before })
            #expect(try proxy.metric("postern_dials_total{outcome=\"handshake-failed\"}") == 1)
        }
    }

    @Test(
        "without a retry, or another server, the connection ends for that reason",
        arguments: EventLoopKind.allCases, Failure.allCases)
    func notRetried(loop: EventLoopKind, failure: Failure) throws {
        try onStage(loop) { stage in
            let flawed = try FlawedServer(failure, on: stage)
            let server = try stage.inbound(to: stage.application(.echo))
            for (addresses, retries) in [([flawed.address, try server.address("in")], 0), ([flawed.address], 2)] {
                let proxy = try stage.proxy(settings(addresses, retries: retries))
                let client = try TCPConnection.connect(to: proxy.address("out"))
                try client.send("secret".utf8)
                #expect(client.awaitEnd() != .stillOpen)
                let line = try proxy.accessLine()
                #expect(line.reason == failure.reason, "\(line)")
                #expect(line.attempts?.map(\.outcome) == ["handshake-failed"])
                #expect(line.attempts?.first?.code == failure.code)
                #expect(line.bytesToUpstream == 0)
            }
            #expect(try flawed.isUntouched())
        }
    }

    @Test("if all fail, each is dialled once, and the last one gives the reason", arguments: EventLoopKind.allCases)
    func allFail(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let servers = try [.closes, .wrongIdentity, .plaintext].map { try FlawedServer($0, on: stage) }
            let proxy = try stage.proxy(settings(servers.map(\.address), retries: 5))
            let client = try TCPConnection.connect(to: proxy.address("out"))
            try client.send("secret".utf8)
            #expect(client.awaitEnd() != .stillOpen)
            let line = try proxy.accessLine()
            #expect(line.reason == "handshake-failed" && line.code == "not-tls")
            #expect(line.attempts?.map(\.code) == ["closed", "identity-not-expected", "not-tls"])
            #expect(line.upstream == "\(servers[2].address)")
        }
    }

    private func settings(_ addresses: [SocketAddress], retries: Int = 2) -> SettingsFile {
        let endpoints = addresses.map { "\($0)" }.joined(separator: "\", \"")
        return SettingsFile(
            role: .client,
            listeners: [
                .outbound(
                    "out", endpoint: endpoints,
                    more: "balance: first\n          retries: \(retries)\n          health: {failures: 0}")
            ], limits: ["handshakeTimeout": "500ms"], admin: true)
    }
}

/// A server whose handshakes fail.
private final class FlawedServer {
    private enum Kind {
        case application(Application)
        /// With an identity of its own, in front of an application.
        case proxy(ProxyUnderTest, Application)
        /// With an authority of its own, which a proxy would not start with.
        case openSSL(OpenSSLServer)
    }

    let address: SocketAddress
    private let kind: Kind
    private let seen = Monitor<[UInt8]>([])

    init(_ failure: HandshakeRetryTests.Failure, on stage: Stage) throws {
        switch failure {
        case .wrongIdentity:
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(role: .stranger, listeners: [.inbound(to: application.address)]))
            kind = .proxy(proxy, application)
            address = try proxy.address("in")
        case .wrongAuthority:
            let server = stage.keep(try OpenSSLServer(as: .impostor, folder: stage.folder))
            kind = .openSSL(server)
            address = server.address
        case .closes, .resets, .silent, .plaintext:
            let application = try stage.application(Self.behaviour(failure, seen))
            kind = .application(application)
            address = application.address
        }
    }

    /// Whether nothing of the client's has come to it, or to the application behind it.
    func isUntouched() throws -> Bool {
        switch kind {
        case .application: return !String(decoding: seen.read { $0 }, as: UTF8.self).contains("secret")
        case .openSSL(let server):
            let wasTold = eventually { server.process.standardError.text.contains("alert") }
            return wasTold && !server.process.standardOutput.text.contains("secret")
        case .proxy(let proxy, let application):
            let line = try proxy.accessLine()
            return application.acceptedCount == 0 && line.reason == "handshake-failed" && line.code == "peer-alert"
        }
    }

    private static func behaviour(
        _ failure: HandshakeRetryTests.Failure, _ seen: Monitor<[UInt8]>
    ) -> Application.Behaviour {
        Application.Behaviour { connection in
            if failure == .plaintext { try connection.send("220 not TLS\r\n".utf8) }
            let bytes = try connection.receive(within: .seconds(30))
            seen.update { $0 += bytes }
            switch failure {
            case .closes: connection.close()
            case .resets: connection.reset()
            default:
                let rest = try connection.receiveToEnd(within: .seconds(30))
                seen.update { $0 += rest }
            }
        }
    }
}
