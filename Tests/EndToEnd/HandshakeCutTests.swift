import Loopback
import PosternTesting
import Testing

/// Handshakes that end in the middle, at every byte of what the client sends.
@Suite("Cut handshakes")
struct HandshakeCutTests {
    @Test(
        "a handshake cut at any byte leaves nothing behind, and no upstream is dialled",
        arguments: EventLoopKind.allCases,
        [Ending.fin, .reset])
    func cutAnywhere(loop: EventLoopKind, ending: Ending) throws {
        try onStage(loop) { stage in
            let application = try stage.application(.echo)
            let proxy = try stage.inbound(to: application)
            let socketsAtRest = proxy.figures.socketCount
            let relay = stage.keep(try Relay(to: proxy.address("in"), .plain))
            // HAProxy is the TLS client: it begins a handshake for each connection that it accepts.
            let client = stage.keep(
                try HAProxyPeer(.client(to: relay.address), as: .client, folder: stage.folder))
            // Its readiness was tried with connections, which began handshakes too.
            var passages = try settle(relay)
            let flightBytes = try uncutHandshake(through: client, relay, &passages)
            let dialled = application.acceptedCount

            // A signature may be two bytes shorter the next time.
            let cuts = Array(stride(from: 0, to: flightBytes - 2 * 3, by: ending == .fin ? 1 : 5))
            for cut in cuts {
                relay.set(ending == .fin ? .finAfter(cut) : .resetAfter(cut))
                let plain = try TCPConnection.connect(to: client.address)
                let passage = relay.passage(passages)
                passages += 1
                try #require(passage?.bytesFromClient == cut, "cut at byte \(cut)")
                try #require(passage?.end != .stillOpen, "cut at byte \(cut)")
                plain.close()
            }

            #expect(application.acceptedCount == dialled)
            #expect(eventually { proxy.figures.socketCount == socketsAtRest }, "a descriptor was left behind")
            // Whoever is gone before it is accepted, as a reset may make it, was never there.
            let lines = try proxy.accessLines(ending == .fin ? cuts.count : cuts.count / 2) { $0.decision == nil }
            #expect(lines.allSatisfy { $0.bytesToUpstream == 0 && $0.reason != "finished" })
            try expectStillServes(proxy, stage)
        }
    }

    enum Ending: Sendable { case fin, reset }

    /// Waits until the relay has seen the end of what HAProxy's start has begun, and returns how much that was.
    private func settle(_ relay: Relay) throws -> Int {
        var count = 0
        while relay.passage(count, within: .milliseconds(count == 0 ? 2_000 : 200)) != nil { count += 1 }
        return count
    }

    /// Runs one whole handshake with a byte of data, and returns how much of the client's bytes was handshake.
    private func uncutHandshake(through client: HAProxyPeer, _ relay: Relay, _ passages: inout Int) throws -> Int {
        let plain = try TCPConnection.connect(to: client.address)
        try plain.send([7])
        try #require(try plain.receive(exactly: 1) == [7])
        plain.close()
        let passage = try #require(relay.passage(passages))
        passages += 1
        // Beside the handshake: a record with one byte of data, and one with close_notify.
        let recordOverheadBytes = 5 + 1 + 16
        return passage.bytesFromClient - (recordOverheadBytes + 1) - (recordOverheadBytes + 2)
    }
}
