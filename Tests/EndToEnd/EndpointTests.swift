import Loopback
import PosternTesting
import Testing

/// Endpoints that fail, are full, or come back.
@Suite("Endpoints of an upstream")
struct EndpointTests {
    @Test(
        "a blackholed endpoint is taken out of service, which log, readyz and metrics say, and returns",
        arguments: EventLoopKind.allCases)
    func blackhole(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            // A full accept queue drops what else wants to connect.
            let full = try TCPListener(backlog: 0)
            let waiting = try (0..<4).map { _ in try TCPConnection.beginConnecting(to: full.address) }
            let upstream = """
                {endpoints: ["\(full.address)", "\(application.address)"], balance: roundRobin, \
                health: {failures: 2, ejectFor: 5s}}
                """
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [.inbound("in", upstream: upstream)], limits: ["connectTimeout": "200ms"], admin: true))
            // One that failed a moment ago is passed over, so that it takes a while.
            var calls = 0
            #expect(
                try eventually(within: .seconds(30)) {
                    try expectStillServes(proxy, stage)
                    calls += 1
                    return proxy.process.standardError.text.contains("endpoint is out of service")
                })
            let event = try proxy.logEvent("endpoint is out of service")
            #expect(event["endpoint"] as? String == "\(full.address)")
            #expect(event["reason"] as? String == "no answer")
            #expect(event["failures"] as? Int == 2)
            let slow = try proxy.accessLines(calls).compactMap(\.attempts)
            #expect(slow.count == 2)
            for attempts in slow {
                #expect(attempts.map(\.outcome) == ["timeout", "connected"])
                #expect(attempts[0].ms >= 200 && attempts[0].upstream == "\(full.address)")
            }
            let details = try page("/readyz?verbose", proxy)
            #expect(details.contains("listener in, route application: 2 endpoints, 1 out of service"), "\(details)")
            #expect(
                details.contains("  \(full.address): out of service in worker 0 (2 failures, at last: no answer)"),
                "\(details)")
            #expect(details.contains("  \(application.address): in service"), "\(details)")
            let metrics = try page("/metrics", proxy)
            #expect(metrics.contains("postern_endpoints{listener=\"in\",route=\"application\"} 2\n"), "\(metrics)")
            #expect(metrics.contains("postern_endpoints_ejected{listener=\"in\",route=\"application\"} 1\n"))
            #expect(metrics.contains("postern_dials_total{outcome=\"timeout\"} 2\n"))
            #expect(metrics.contains("postern_dials_total{outcome=\"connected\"} \(calls)\n"))

            for connection in waiting { connection.close() }
            let echo = BackgroundThread {
                while let connection = try? full.accept(within: .seconds(60)) {
                    _ = BackgroundThread { try? Application.Behaviour.echo.serve(connection) }
                }
            }
            #expect(
                try eventually(within: .seconds(20)) {
                    try expectStillServes(proxy, stage)
                    return proxy.process.standardError.text.contains("endpoint is back in service")
                })
            #expect(try page("/readyz?verbose", proxy).contains("2 endpoints, 0 out of service"))
            full.stop()
            echo.join()
        }
    }

    @Test("with retries: 0 no other endpoint is tried", arguments: EventLoopKind.allCases)
    func withoutRetries(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let nobody = SocketAddress(port: try TCPListener.freePort())
            let upstream = """
                {endpoints: ["\(nobody)", "\(application.address)"], balance: first, retries: 0, health: {failures: 0}}
                """
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound("in", upstream: upstream)]))
            let client = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(client.process.awaitExit() != nil)
            let line = try proxy.accessLine()
            #expect(line.reason == "upstream-unreachable")
            #expect(line.attempts?.map(\.outcome) == ["refused"])
            // It failed just now, so that the other is taken.
            try expectStillServes(proxy, stage)
        }
    }

    @Test(
        "of a full endpoint the next connection waits for a place, and for no longer than a dial may take",
        arguments: EventLoopKind.allCases)
    func limit(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let upstream = "{endpoints: [\"\(application.address)\"], connectionsPerEndpoint: 1}"
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound("in", upstream: upstream)], limits: ["connectTimeout": "1s"]))
            let first = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(first.echoes("one\n"))
            let second = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            #expect(second.process.awaitExit() != nil)
            let line = try proxy.accessLine()
            #expect(line.reason == "upstream-limit")
            #expect(line.durationMs >= 1_000)
            let third = try OpenSSLClient(to: proxy.address("in"), as: .client, folder: stage.folder)
            third.send("three\n")
            #expect(!third.receives("three\n", within: .milliseconds(300)))
            first.process.stop()
            #expect(third.receives("three\n"))
            #expect(application.acceptedCount == 2)
            third.process.stop()
        }
    }

    @Test(
        "a server whose handshakes fail is taken out of service, and its connections go to another one",
        arguments: EventLoopKind.allCases)
    func handshakes(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (proxy, plain) = try stage.outboundWithPlainServer("balance: roundRobin")
            func call() throws {
                let client = try TCPConnection.connect(to: proxy.address("out"))
                try client.send("hello".utf8)
                #expect(try client.receive(exactly: 5) == Array("hello".utf8))
                client.close()
            }
            // One that failed a moment ago is passed over, so that it takes a while.
            var calls = 0
            #expect(
                try eventually(within: .seconds(30)) {
                    try call()
                    calls += 1
                    return proxy.process.standardError.text.contains("endpoint is out of service")
                })
            try proxy.logEvent("endpoint is out of service") { $0["endpoint"] as? String == "\(plain.address)" }
            for _ in 0..<6 { try call() }
            let failed = try proxy.accessLines(calls + 6).compactMap(\.attempts)
            #expect(failed.map { $0.map(\.outcome) } == Array(repeating: ["handshake-failed", "connected"], count: 3))
            #expect(plain.acceptedCount == 3)
        }
    }

    private func page(_ path: String, _ proxy: ProxyUnderTest) throws -> String {
        let connection = try TCPConnection.connect(to: proxy.adminAddress())
        try connection.send("GET \(path) HTTP/1.0\r\n\r\n".utf8)
        return String(decoding: try connection.receiveToEnd(), as: UTF8.self)
    }
}

extension Stage {
    /// An outbound proxy to two servers, of which the first speaks no TLS.
    ///
    /// - Parameter keys: further keys of the upstream.
    func outboundWithPlainServer(_ keys: String) throws -> (proxy: ProxyUnderTest, plain: Application) {
        let server = try inbound(to: application(.echo))
        let plain = try application(.greets("220 not TLS\r\n"))
        let endpoints = "\(plain.address)\", \"\(try server.address("in"))"
        let settings = SettingsFile(
            role: .client, listeners: [.outbound("out", endpoint: endpoints, more: keys)])
        return (try proxy(settings), plain)
    }
}
