import Loopback
import PosternTesting
import Testing

/// Upstreams that refuse, reset, hang or speak first.
@Suite("Upstreams")
struct UpstreamTests {
    @Test(
        "an upstream that refuses connections ends the client's connection with a reason",
        arguments: EventLoopKind.allCases)
    func refuses(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let nobody = SocketAddress(port: try TCPListener.freePort())
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: nobody)]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.process.awaitExit() != nil)
            let line = try proxy.accessLine()
            #expect(line.reason == "upstream-unreachable")
            #expect(line.decision == "allow")
        }
    }

    @Test("the next endpoint is tried when one refuses", arguments: EventLoopKind.allCases)
    func nextEndpoint(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let nobody = SocketAddress(port: try TCPListener.freePort())
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [
                    .inbound(
                        "in", upstream: "{endpoints: [\"\(nobody)\", \"\(application.address)\"]}", policy: "callers")
                ]))
            for _ in 0..<3 { try expectStillServes(proxy, stage) }
        }
    }

    @Test("an upstream reset ends the client's connection without an orderly close", arguments: EventLoopKind.allCases)
    func resets(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.resets))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("hello".utf8)
            // A clean end would say that all of the answer has come.
            #expect(client.awaitEnd() == .reset)
            #expect(try inbound.accessLine().reason == "application-reset")
            #expect(try ["peer-reset", "peer-truncated", "tls-failure"].contains(outbound.accessLine().reason))
        }
    }

    @Test("a dial without an answer ends with the connect timeout", arguments: EventLoopKind.allCases)
    func neverConnects(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            // A full accept queue drops what else wants to connect.
            let full = try TCPListener(backlog: 0)
            let waiting = try (0..<4).map { _ in try TCPConnection.beginConnecting(to: full.address) }
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound(to: full.address)], limits: ["connectTimeout": "200ms"]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.process.awaitExit() != nil)
            #expect(try proxy.accessLine().reason == "connect-timeout")
            withExtendedLifetime((full, waiting)) {}
        }
    }

    @Test("a silent upstream is closed by the idle timeout", arguments: EventLoopKind.allCases)
    func hangs(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.hangs)
            let (outbound, inbound) = try stage.pair(
                to: application, limits: ["idleTimeout": "300ms", "halfCloseTimeout": "300ms"])
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("hello".utf8)
            #expect(client.awaitEnd() != .stillOpen)
            let reasons = [try inbound.accessLine().reason, try outbound.accessLine().reason]
            #expect(reasons.contains("idle-timeout"))
        }
    }

    @Test(
        "a server that never completes the handshake is closed by the handshake timeout",
        arguments: EventLoopKind.allCases)
    func serverNeverShakesHands(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.hangs)
            let proxy = try stage.outbound(to: application.address, limits: ["handshakeTimeout": "200ms"])
            let client = try TCPConnection.connect(to: proxy.address("out"))
            #expect(client.awaitEnd(within: .seconds(5)) != .stillOpen)
            #expect(try proxy.accessLine().reason == "handshake-timeout")
        }
    }

    @Test(
        "a server without TLS is refused before it receives the application's bytes",
        arguments: EventLoopKind.allCases)
    func serverWithoutTLS(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let seen = Monitor<[UInt8]>([])
            let application = try stage.application(
                Application.Behaviour { connection in
                    try connection.send("220 mail.example.org ESMTP\r\n".utf8)
                    let bytes = try connection.receiveToEnd()
                    seen.update { $0 += bytes }
                })
            let proxy = try stage.outbound(to: application.address)
            let client = try TCPConnection.connect(to: proxy.address("out"))
            try client.send("secret".utf8)
            #expect(client.awaitEnd() != .stillOpen)
            #expect(try proxy.accessLine().reason == "handshake-failed")
            #expect(!String(decoding: seen.read { $0 }, as: UTF8.self).contains("secret"))
        }
    }

    @Test(
        "an application that sends first reaches a client that has sent nothing", arguments: EventLoopKind.allCases
    )
    func speaksFirst(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, _) = try stage.pair(to: stage.application(.greets("220 ready\r\n")))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            #expect(try client.receive(exactly: 11) == Array("220 ready\r\n".utf8))
            try client.send("hello".utf8)
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
        }
    }

    @Test("the built-in applications echo, discard and send without a backend", arguments: EventLoopKind.allCases)
    func builtins(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.proxy(
                SettingsFile(
                    listeners: ["echo", "discard", "source"].map { .inbound($0, upstream: "{builtin: \($0)}") }))
            let outbound = try stage.proxy(
                SettingsFile(
                    role: .client,
                    listeners: try ["echo", "discard", "source"].map {
                        .outbound("to-\($0)", to: try inbound.address($0))
                    }))
            let echo = try TCPConnection.connect(to: outbound.address("to-echo"))
            let text = Array(String(repeating: "there and back ", count: 10_000).utf8)
            let writer = BackgroundThread {
                try? echo.send(text)
                echo.finishSending()
            }
            #expect(try echo.receiveToEnd() == text)
            writer.join()

            let discard = try TCPConnection.connect(to: outbound.address("to-discard"))
            try discard.send(text)
            discard.finishSending()
            #expect(try discard.receiveToEnd().isEmpty)
            #expect(try inbound.accessLine { $0.listener == "discard" }.bytesToUpstream == text.count)

            let source = try TCPConnection.connect(to: outbound.address("to-source"))
            #expect(try source.receive(exactly: 1 << 20).count == 1 << 20)
            source.close()
            #expect(try inbound.accessLine { $0.listener == "source" }.bytesFromUpstream >= 1 << 20)
        }
    }
}
