import Glibc
import Loopback
import Testing

/// What happens when there is no more of something.
@Suite("Limits")
struct LimitTests {
    @Test(
        "a connection over the cap is turned away, and its place is free again when one ends",
        arguments: EventLoopKind.allCases)
    func connectionCap(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let inbound = try stage.inbound(to: application)
            let outbound = try stage.outbound(to: inbound.address("in"), limits: ["connections": "3"])
            let held = try (0..<3).map { _ in try echoing(through: outbound) }
            // The reset may come before the connect has looked: both are one event to the kernel.
            let turnedAway = try TCPConnection.beginConnecting(to: outbound.address("out"))
            #expect(turnedAway.awaitEnd() != .stillOpen)
            #expect(try outbound.accessLine().reason == "connection-limit")
            held[0].close()
            try outbound.accessLine()
            let next = try echoing(through: outbound)
            #expect(application.acceptedCount == 4)
            withExtendedLifetime((held, next)) {}
        }
    }

    @Test(
        "a full descriptor table pauses accepting without spinning, and accepting resumes",
        arguments: EventLoopKind.allCases)
    func descriptorTableFull(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(listeners: [.inbound(to: application.address)], limits: ["handshakeTimeout": "60s"]),
                openFileLimit: 64)
            var waiting = try (0..<100).map { _ in try TCPConnection.connect(to: proxy.address("in")) }
            #expect(eventually { proxy.figures.socketCount > 40 })
            #expect(proxy.figures.socketCount < 64)
            let figures = proxy.figures
            let before = figures.cpuNanoseconds
            pauseMilliseconds(500)
            #expect(figures.cpuNanoseconds - before < 100_000_000, "the proxy spins")
            #expect(proxy.process.isRunning)
            waiting.removeAll()
            try expectStillServes(proxy, stage)
            #expect(application.acceptedCount == 1)
        }
    }

    @Test("whatever became of connections, their descriptors come back", arguments: EventLoopKind.allCases)
    func nothingLeaks(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            try echoing(through: outbound).close()
            try outbound.accessLine()
            try inbound.accessLine()
            let atRest = [outbound, inbound].map(\.figures.socketCount)
            for round in 0..<30 {
                let client = try TCPConnection.connect(to: outbound.address("out"))
                if round % 3 == 0 {
                    client.close()
                } else {
                    try client.send("hello".utf8)
                    _ = try client.receive(exactly: 5)
                    if round % 2 == 0 { client.reset() } else { client.close() }
                }
                let garbage = try TCPConnection.connect(to: inbound.address("in"))
                try garbage.send("nonsense".utf8)
                _ = garbage.awaitEnd()
            }
            for (proxy, sockets) in zip([outbound, inbound], atRest) {
                #expect(eventually { proxy.figures.socketCount == sockets }, "\(proxy.name) leaks descriptors")
            }
            #expect(try outbound.accessLines(30).count == 30)
        }
    }

    private func echoing(through proxy: ProxyUnderTest) throws -> TCPConnection {
        let client = try TCPConnection.connect(to: proxy.address("out"))
        try client.send([1])
        #expect(try client.receive(exactly: 1) == [1])
        return client
    }
}
