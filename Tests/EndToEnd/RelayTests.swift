import Loopback
import PosternTesting
import Testing

/// Bytes through the pair: all of them, in order, once.
@Suite("Relay")
struct RelayTests {
    @Test("the pair relays every byte in both directions", arguments: EventLoopKind.allCases)
    func echo(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(to: stage.application(.echo))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            for size in [1, 2, 1_023, 1_024, 16_383, 16_384, 16_385, 65_536, 131_073] {
                let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
                let writer = BackgroundThread { try? client.send(message) }
                #expect(try client.receive(exactly: size) == message)
                writer.join()
            }
            client.finishSending()
            #expect(try client.receiveToEnd().isEmpty)
            let inner = try inbound.accessLine()
            let outer = try outbound.accessLine()
            #expect(inner.reason == "finished")
            #expect(outer.reason == "finished")
            #expect(outer.direction == "outbound")
            #expect(outer.peerId == "spiffe://example.org/ns/default/sa/server")
            #expect(outer.bytesToUpstream == inner.bytesToUpstream)
            #expect(outer.bytesFromUpstream == inner.bytesFromUpstream)
        }
    }

    @Test(
        "100 MB go each way at once past slow readers, without a byte lost or memory spent",
        arguments: EventLoopKind.allCases)
    func slowReaders(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let total = 100_000_000
            let backend = Monitor<TransferOutcome?>(nil)
            let application = try stage.application(
                Application.Behaviour { connection in
                    let outcome = Transfer(bytes: total, seed: 2).exchange(on: connection, expecting: 1)
                    backend.update { $0 = outcome }
                }, receiveBufferBytes: 65_536)
            let (outbound, inbound) = try stage.pair(to: application)
            let client = try TCPConnection.connect(to: outbound.address("out"), receiveBufferBytes: 65_536)
            let atRest = [outbound, inbound].map(\.figures.memoryKiB.anonymous)
            let outcome = Transfer(bytes: total, seed: 1).exchange(on: client, expecting: 2)
            let other = backend.wait(within: .seconds(60)) { $0 }
            #expect(outcome.fault == nil)
            #expect(other?.fault == nil)
            #expect(outcome.receivedBytes == total)
            #expect(other?.receivedBytes == total)
            #expect(!outcome.isGarbled)
            #expect(other?.isGarbled == false)
            for (proxy, before) in zip([outbound, inbound], atRest) {
                #expect(proxy.figures.memoryKiB.anonymous - before < 8_192, "\(proxy.name) grew")
                #expect(try proxy.accessLine().bytesFromUpstream == total)
            }
        }
    }

    @Test("a client that has half-closed still gets the whole response", arguments: EventLoopKind.allCases)
    func clientFinishesFirst(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = try stage.application(
                .answersAtEnd { question in
                    Array(repeating: question, count: 200_000).flatMap { $0 }
                })
            let (outbound, inbound) = try stage.pair(to: application)
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("question".utf8)
            client.finishSending()
            #expect(try client.receiveToEnd(within: .seconds(20)).count == 8 * 200_000)
            #expect(try inbound.accessLine().reason == "finished")
            #expect(try outbound.accessLine().reason == "finished")
        }
    }

    @Test(
        "an application that has half-closed still gets everything the client sends",
        arguments: EventLoopKind.allCases)
    func applicationFinishesFirst(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let received = Monitor<Int?>(nil)
            let application = try stage.application(
                Application.Behaviour { connection in
                    try connection.send("goodbye".utf8)
                    connection.finishSending()
                    let bytes = try connection.receiveToEnd(within: .seconds(20))
                    received.update { $0 = bytes.count }
                })
            let (outbound, inbound) = try stage.pair(to: application)
            let client = try TCPConnection.connect(to: outbound.address("out"))
            #expect(try client.receiveToEnd() == Array("goodbye".utf8))
            try client.send([UInt8](repeating: 5, count: 1_500_000))
            client.finishSending()
            #expect(received.wait(within: .seconds(20)) { $0 } == 1_500_000)
            #expect(try inbound.accessLine().reason == "finished")
            #expect(try outbound.accessLine().reason == "finished")
        }
    }

    @Test("a half-closed connection without a byte is closed by its timeout", arguments: EventLoopKind.allCases)
    func halfCloseTimeout(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let (outbound, inbound) = try stage.pair(
                to: stage.application(.hangs), limits: ["halfCloseTimeout": "200ms"])
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("question".utf8)
            client.finishSending()
            #expect(client.awaitEnd() != .stillOpen)
            let reasons = [try inbound.accessLine().reason, try outbound.accessLine().reason]
            #expect(reasons.contains("half-close-timeout"))
        }
    }

    @Test(
        "a client that vanishes looks like a reset to the application, not like an orderly close",
        arguments: EventLoopKind.allCases
    )
    func clientResets(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let end = Monitor<ConnectionEnd?>(nil)
            let application = try stage.application(
                Application.Behaviour { connection in
                    _ = try connection.receive(exactly: 5)
                    try connection.send("go on".utf8)
                    let how = connection.awaitEnd()
                    end.update { $0 = how }
                })
            let (outbound, inbound) = try stage.pair(to: application)
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("hello".utf8)
            _ = try client.receive(exactly: 5)
            client.reset()
            #expect(end.wait(within: .seconds(10)) { $0 } == .reset)
            #expect(try outbound.accessLine().reason == "application-reset")
            #expect(try ["peer-reset", "peer-truncated", "tls-failure"].contains(inbound.accessLine().reason))
        }
    }

    @Test("a pair speaks IPv6", arguments: EventLoopKind.allCases)
    func ipv6(loop: EventLoopKind) throws {
        try onStage(loop) { stage in
            let application = stage.keep(try Application(.echo, bind: SocketAddress(.v6, port: 0)))
            let inbound = try stage.proxy(
                SettingsFile(listeners: [.inbound(to: application.address, bind: "[::1]:0")]))
            let outbound = try stage.proxy(
                SettingsFile(role: .client, listeners: [.outbound(to: inbound.address("in"), bind: "[::1]:0")]))
            let client = try TCPConnection.connect(to: outbound.address("out"))
            try client.send("hello".utf8)
            #expect(try client.receive(exactly: 5) == Array("hello".utf8))
            client.close()
            #expect(try inbound.accessLine().source?.hasPrefix("[::1]:") == true)
        }
    }
}
