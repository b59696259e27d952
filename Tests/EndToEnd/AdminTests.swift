import Loopback
import PosternTesting
import Testing

/// The admin endpoint, asked by curl.
@Suite("Admin")
struct AdminTests {
    @Test("/livez and /readyz answer 200 while the proxy serves", arguments: EventLoopKind.allCases)
    func healthy(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)], admin: true))
            for path in ["livez", "readyz"] {
                let answer = try proxy.ask("/\(path)")
                #expect(answer.hasSuffix("200"), "\(path): \(answer)")
            }
            #expect(try proxy.ask("/nothing").hasSuffix("404"))
        }
    }

    @Test(
        "/readyz answers 503 with the reason while the proxy drains, and /livez 200", arguments: EventLoopKind.allCases)
    func draining(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)], admin: true))
            let client = try OpenSSLClient(
                to: proxy.address("in"), as: .client, folder: stage.folder, options: ["-no_ign_eof"])
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            proxy.process.signal(15)
            #expect(eventually { (try? proxy.ask("/readyz").hasSuffix("503")) == true })
            #expect(try proxy.ask("/readyz").contains("drain"))
            #expect(try proxy.ask("/livez").hasSuffix("200"))
            client.finish()
            #expect(proxy.process.awaitExit() == .code(0))
        }
    }

    @Test(
        "clients that trickle requests exhaust neither descriptors nor the endpoint", arguments: EventLoopKind.allCases)
    func drippers(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(SettingsFile(listeners: [.inbound(to: application.address)], admin: true))
            let address = try proxy.adminAddress()
            let atRest = proxy.figures.socketCount
            let drippers = try (0..<300).map { _ in
                let connection = try TCPConnection.connect(to: address)
                try? connection.send("GET /livez HTTP/1.1\r\n".utf8)
                return connection
            }
            #expect(eventually { proxy.figures.socketCount < atRest + 80 })
            #expect(try proxy.ask("/livez").hasSuffix("200"))
            #expect(try proxy.ask("/readyz").hasSuffix("200"))
            // A byte now and then buys no more time than one request has.
            let isOver = eventually(within: .seconds(12)) {
                for connection in drippers { try? connection.send("X".utf8) }
                pauseMilliseconds(200)
                return proxy.figures.socketCount <= atRest
            }
            #expect(isOver, "\(proxy.figures.socketCount) sockets instead of \(atRest)")
            #expect(try proxy.ask("/livez").hasSuffix("200"))
        }
    }
}
