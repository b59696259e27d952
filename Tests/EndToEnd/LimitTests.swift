import Glibc
import Loopback
import PosternTesting
import Testing

/// Behaviour at the limits.
@Suite("Limits")
struct LimitTests {
    @Test(
        "a connection over the limit is refused, and a place is free again when one ends",
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
        "a client that opens more connections than there are descriptors does not lock others out",
        arguments: EventLoopKind.allCases)
    func fewDescriptors(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.proxy(
                SettingsFile(
                    listeners: [.inbound(to: application.address)], limits: ["handshakeTimeout": "60s"], admin: true),
                openFileLimit: 64)
            let address = try proxy.address("in")
            let silent = (0..<100).compactMap { _ in try? TCPConnection.connect(to: address) }
            #expect(eventually { proxy.figures.socketCount > 10 })
            #expect(proxy.figures.socketCount < 48)
            let figures = proxy.figures
            let before = figures.cpuNanoseconds
            // Longer than a client may be silent while another one waits.
            pauseMilliseconds(700)
            #expect(figures.cpuNanoseconds - before < 100_000_000, "the proxy spins")
            // They have not gone, and come from the same address.
            try expectStillServes(proxy, stage)
            #expect(try proxy.metric("postern_connections_active") != nil)
            #expect(application.acceptedCount == 1)
            withExtendedLifetime(silent) {}
        }
    }

    @Test("descriptors are released however connections end", arguments: EventLoopKind.allCases)
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

    @Test(
        "clients that do not read cost a bounded amount of memory, and others are served",
        arguments: EventLoopKind.allCases
    )
    func silentReaders(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            // Answers 0 with more than the kernel holds, and echoes all else.
            let flood = [UInt8](repeating: 7, count: 12 << 20)
            let application = try stage.application(
                Application.Behaviour { connection in
                    while true {
                        let bytes = try connection.receive(within: .seconds(60))
                        if bytes.isEmpty { return connection.finishSending() }
                        try connection.send(bytes == [0] ? flood : bytes, within: .seconds(60))
                    }
                })
            let limits = ["memory": "16MiB", "handshakeTimeout": "60s"]
            let inbound = try stage.inbound(to: application, limits: limits)
            let outbound = try stage.outbound(to: inbound.address("in"), limits: limits)
            try echoing(through: outbound).close()
            let atRest = [outbound, inbound].map(\.figures.memoryKiB.anonymous)
            let silent = try (0..<120).map { _ in
                let client = try TCPConnection.connect(to: outbound.address("out"))
                try client.send([0])
                return client
            }
            #expect(application.awaitAccepted(121, within: .seconds(30)))
            for client in silent.prefix(20) { #expect(try client.receive(exactly: 1) == [7]) }
            // Until nothing moves any more, all that can be filled is filled.
            var before: Int64 = 0
            #expect(
                eventually(within: .seconds(60)) {
                    let now = [outbound, inbound].map(\.figures.cpuNanoseconds).reduce(0, +)
                    defer { before = now }
                    pauseMilliseconds(200)
                    return now - before < 5_000_000
                })
            for (proxy, base) in zip([outbound, inbound], atRest) {
                let grown = proxy.figures.memoryKiB.anonymous - base
                #expect(grown < 17 << 10, "\(proxy.name) has grown by \(grown) KiB")
            }
            for _ in 0..<5 { try echoing(through: outbound).close() }
            // None of them was cut: each gets all of its answer.
            for client in silent.prefix(3) {
                #expect(try client.receive(exactly: flood.count - 1, within: .seconds(60)).count == flood.count - 1)
            }
            for client in silent { client.close() }
            let lines = try outbound.accessLines(126)
            #expect(lines.allSatisfy { $0.reason != "overloaded" })
        }
    }

    private func echoing(through proxy: ProxyUnderTest) throws -> TCPConnection {
        let client = try TCPConnection.connect(to: proxy.address("out"))
        try client.send([1])
        #expect(try client.receive(exactly: 1) == [1])
        return client
    }
}
