import Loopback
import PosternTesting
import Testing

/// Connections of an outbound route that have shaken hands before an application comes.
@Suite("Preconnected upstreams")
struct PreconnectTests {
    @Test(
        "a client that finds every place taken by spare connections is given one of them",
        arguments: EventLoopKind.allCases)
    func places(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let server = try stage.inbound(to: stage.application(.echo))
            let more = "connectionsPerEndpoint: 2\n          preconnect: 4"
            let proxy = try stage.proxy(
                SettingsFile(
                    role: .client,
                    listeners: [.outbound("out", endpoint: "\(server.address("in"))", more: more)]))
            for _ in 0..<10 {
                let clients = try (0..<2).map { _ in try TCPConnection.connect(to: proxy.address("out")) }
                for client in clients {
                    try client.send("hello".utf8)
                    #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                }
                for client in clients { client.close() }
                let lines = try proxy.accessLines(2)
                #expect(lines.allSatisfy { $0.reason != "upstream-limit" }, "\(lines)")
            }
            proxy.expectCleanExit()
        }
    }

    @Test(
        "an application is given a connection that waits, with what the server said first",
        arguments: EventLoopKind.allCases)
    func ready(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.greets("220 ready\r\n"))
            let server = try stage.inbound(to: application)
            let proxy = try stage.proxy(settings(to: server.address("in"), spares: 4))
            #expect(application.awaitAccepted(1), "nothing was connected before a client came")
            // It takes a moment until the handshake is complete on both sides.
            let isUsed = try eventually {
                let client = try TCPConnection.connect(to: proxy.address("out"))
                #expect(try client.receive(exactly: 11) == Array("220 ready\r\n".utf8))
                try client.send("hello".utf8)
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                client.finishSending()
                #expect(client.awaitEnd() == .finished)
                let line = try proxy.accessLine()
                #expect(line.reason == "finished")
                #expect(line.source != "0.0.0.0:0" && line.peerId != nil)
                return line.preconnected == true
            }
            #expect(isUsed)
            // A burst finds more of them each time, and all are served.
            let burst = try (0..<8).map { _ in try TCPConnection.connect(to: proxy.address("out")) }
            for client in burst { #expect(try client.receive(exactly: 11) == Array("220 ready\r\n".utf8)) }
            for client in burst { client.close() }
            _ = try proxy.accessLines(8)
            #expect(eventually { application.acceptedCount >= 12 }, "the pool did not grow with its use")
            // Before the server, which waits for the connections that wait.
            proxy.expectCleanExit()
        }
    }

    @Test(
        "none is used after a change that it would not survive, and none of them appears in the log",
        arguments: EventLoopKind.allCases)
    func change(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let server = try stage.inbound(to: application)
            let address = try server.address("in")
            let proxy = try stage.proxy(settings(to: address, spares: 2))
            #expect(application.awaitAccepted(1))
            try proxy.reload(
                settings(to: address, spares: 2, identity: "spiffe://example.org/ns/default/sa/other"),
                in: stage.folder)
            // The server is told that the one before has ended, in order and without a byte, once the worker has gone
            // over to the change.
            let ended = try server.accessLine { $0.decision == "allow" }
            #expect(ended.reason == "finished" && ended.bytesToUpstream == 0, "\(ended)")
            let refused = try TCPConnection.connect(to: proxy.address("out"))
            try refused.send("secret".utf8)
            #expect(refused.awaitEnd() != .stillOpen)
            let line = try proxy.accessLine()
            #expect(line.reason == "certificate-refused" && line.preconnected == nil, "\(line)")

            try proxy.reload(settings(to: address, spares: 2), in: stage.folder)
            #expect(try eventually { try call(proxy) })
            proxy.expectCleanExit()
        }
    }

    @Test("those that die while they wait are replaced", arguments: EventLoopKind.allCases)
    func death(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let server = try stage.inbound(to: application, limits: ["idleTimeout": "300ms"])
            let proxy = try stage.proxy(settings(to: server.address("in"), spares: 1))
            #expect(application.awaitAccepted(4), "one after the other reaches the server's idle time-out")
            #expect(try eventually { try call(proxy) })
            proxy.expectCleanExit()
        }
    }

    @Test("a drain does not wait for them", arguments: EventLoopKind.allCases)
    func drain(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let server = try stage.inbound(to: application)
            let proxy = try stage.proxy(settings(to: server.address("in"), spares: 3))
            #expect(application.awaitAccepted(1))
            proxy.expectCleanExit()
            #expect(proxy.process.standardOutput.text.isEmpty, "they are nobody's connections")
        }
    }

    /// Whether a connection that waited was used.
    private func call(_ proxy: ProxyUnderTest) throws -> Bool {
        let client = try TCPConnection.connect(to: proxy.address("out"))
        try client.send("hello".utf8)
        guard (try? client.receive(exactly: 5)) == Array("hello".utf8) else { return false }
        client.close()
        return try proxy.accessLine().preconnected == true
    }

    private func settings(
        to address: SocketAddress, spares: Int, identity: String = "spiffe://example.org/ns/default/sa/server"
    ) -> SettingsFile {
        SettingsFile(
            role: .client,
            listeners: [.outbound("out", endpoint: "\(address)", identity: identity, more: "preconnect: \(spares)")])
    }
}
