import Glibc
import Loopback
import PosternTesting
import Testing

/// SIGTERM and SIGINT.
@Suite("Drain")
struct DrainTests {
    @Test(
        "a signal stops accepting, open connections finish, and the exit code is 0", arguments: EventLoopKind.allCases,
        [SIGTERM, SIGINT])
    func finishes(loop: EventLoopKind, signal: Int32) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("before".utf8)
            #expect(try client.receive(exactly: 6) == Array("before".utf8))
            let idleBefore = inbound.process.isRunning
            inbound.process.signal(signal)
            #expect(eventually { (try? TCPConnection.connect(to: inbound.address("in"))) == nil }, "still accepts")
            try client.send("after".utf8)
            #expect(try client.receive(exactly: 5) == Array("after".utf8))
            #expect(idleBefore && inbound.process.isRunning)
            client.finishSending()
            #expect(try client.receiveToEnd().isEmpty)
            #expect(inbound.process.awaitExit() == .code(0))
            #expect(try inbound.accessLine { $0.bytesToUpstream > 0 }.reason == "finished")
        }
    }

    @Test(
        "connections still open when the drain times out are cut, and the exit code reports it",
        arguments: EventLoopKind.allCases)
    func cuts(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo), limits: ["drainTimeout": "200ms"])
            let client = try OpenSSLClient(to: inbound.address("in"), as: .client, folder: stage.folder)
            client.send("hello\n")
            #expect(client.receives("hello\n"))
            inbound.process.signal(SIGTERM)
            #expect(inbound.process.awaitExit() == .code(3))
            #expect(try inbound.accessLine().reason == "drained")
            #expect(client.process.awaitExit() != nil)
        }
    }

    @Test("a proxy without connections ends at once", arguments: EventLoopKind.allCases)
    func atRest(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let inbound = try stage.inbound(to: stage.application(.echo))
            let start = ContinuousClock.now
            inbound.process.signal(SIGTERM)
            #expect(inbound.process.awaitExit() == .code(0))
            #expect(ContinuousClock.now - start < .seconds(2))
        }
    }
}
